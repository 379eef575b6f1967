-- The database of the example: one shared table, and the policy that separates its rows. A superuser runs this with psql:
--
--   psql -v issuer=https://… -v jwks_url=https://… -v audience=… -f database.sql

CREATE EXTENSION pg_session_jwt;

CREATE TABLE todos (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL DEFAULT (auth.user_id()),
    task    text NOT NULL CHECK (length(task) BETWEEN 1 AND 200),
    done    boolean NOT NULL DEFAULT false
);
CREATE INDEX ON todos (user_id);

-- A row is yours if its user_id is the one in your verified token. Neither this file nor the application has another rule.
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_todos ON todos TO authenticated
    USING ((SELECT auth.user_id()) = user_id)
    WITH CHECK ((SELECT auth.user_id()) = user_id);
GRANT SELECT, INSERT, DELETE, UPDATE (done) ON todos TO authenticated;

-- The login role of the application. It owns nothing and has no privileges: without SET ROLE it cannot read the table.
CREATE ROLE web LOGIN NOINHERIT IN ROLE authenticated;

-- The trusted issuer. The audience is specific to this database, so tokens for other APIs are rejected.
SELECT json_build_array(json_build_object(
    'issuer', :'issuer',
    'audience', :'audience',
    'jwks_url', :'jwks_url',
    'roles', 'authenticated'
)) AS providers \gset
ALTER DATABASE :"DBNAME" SET pg_session_jwt.providers = :'providers';
