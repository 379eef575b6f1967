-- How version 0.5.0 updates version 0.4.0: the two new functions are not STRICT, as they are in a new installation.
-- In the place of `/* reads */` the tests put nothing, or STABLE PARALLEL SAFE.
\echo Use "ALTER EXTENSION pg_session_jwt UPDATE TO '0.5.0'" to load this file. \quit

CREATE FUNCTION auth."organization"() RETURNS jsonb
/* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'organization_wrapper';

CREATE FUNCTION auth."organization_id"() RETURNS uuid
/* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'organization_id_wrapper';
