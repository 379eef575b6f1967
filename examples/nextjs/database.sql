-- What a superuser does once, before the migrations: the extension, the owner of the tables, and the trusted issuer. Then the
-- superuser runs gateway/setup.sql in the same database.
--
--   psql -d todos -v issuer=https://… -v jwks_url=https://… -v audience=… -f database.sql

CREATE EXTENSION pg_session_jwt;

-- The login of DATABASE_URL, which runs the migrations. The application itself never uses it.
CREATE ROLE todos_owner LOGIN;
ALTER DATABASE :"DBNAME" OWNER TO todos_owner;

-- The audience is specific to this database, so tokens for other APIs are rejected.
SELECT json_build_array(json_build_object(
    'issuer', :'issuer',
    'audience', :'audience',
    'jwks_url', :'jwks_url',
    'roles', 'authenticated'
)) AS providers \gset
ALTER DATABASE :"DBNAME" SET pg_session_jwt.providers = :'providers';
