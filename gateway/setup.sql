-- Makes the gateway's login, and closes what end users could do as that login. Run it as a superuser, with psql, in each
-- database that the gateway serves:
--
--   psql -d mydb -f gateway/setup.sql
--   psql -d mydb -v login=my_gateway -v roles=authenticated,editor -v connection_limit=50 -f gateway/setup.sql
--
-- The extension must exist there. The script can be run again, and then restores what is missing; it does not revoke roles.
-- An end user can always become the login, by RESET ROLE. So the login may do nothing but SET ROLE.

\set ON_ERROR_STOP on
\if :{?login}
\else
    \set login jwt_gateway
\endif
\if :{?roles}
\else
    \set roles authenticated,anonymous
\endif
\if :{?connection_limit}
\else
    \set connection_limit 100
\endif

BEGIN;

SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'login') AS is_missing \gset
\if :is_missing
    CREATE ROLE :"login" LOGIN NOINHERIT;
\endif

-- Without INHERIT, a session that has lost its role has no privilege. PostgreSQL 16 and later have it for each membership.
ALTER ROLE :"login" NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
SELECT pg_catalog.format(
    'GRANT %I TO %I%s', role, :'login',
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' END
)
FROM pg_catalog.unnest(pg_catalog.string_to_array(:'roles', ',')) AS role \gexec
-- The gateway needs --max-connections for each database, and --max-websockets. More would come from somewhere else.
ALTER ROLE :"login" CONNECTION LIMIT :connection_limit;
SELECT pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), :'login') \gexec

-- All sessions of the gateway are one login, and PostgreSQL shows a role its own statements in pg_stat_activity.
ALTER ROLE :"login" SET track_activities = off;
-- The token is a bound parameter. (The gateway itself sets log_parameter_max_length_on_error.)
ALTER ROLE :"login" SET log_parameter_max_length = 0;

-- A role can cancel and terminate its own sessions, so every end user could end the requests of the others. Large objects
-- belong to the role that makes them, so every end user could read those of the others.
SELECT pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::pg_catalog.regprocedure)
FROM pg_catalog.pg_proc
WHERE pronamespace = 'pg_catalog'::pg_catalog.regnamespace
AND proname IN ('pg_cancel_backend', 'pg_terminate_backend', 'lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put') \gexec

COMMIT;
