-- Adds auth.uid() and auth.jwt().
\echo Use "ALTER EXTENSION pg_session_jwt UPDATE TO '0.4.0'" to load this file. \quit

CREATE FUNCTION auth.uid() RETURNS pg_catalog.uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'uid_wrapper';

CREATE FUNCTION auth.jwt() RETURNS pg_catalog.jsonb
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_wrapper';
