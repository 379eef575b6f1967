-- What version 0.4.0 installs.
-- In the place of `/* reads */` the tests put nothing, or STABLE PARALLEL SAFE.
\echo Use "CREATE EXTENSION pg_session_jwt" to load this file. \quit

CREATE SCHEMA IF NOT EXISTS auth;

CREATE FUNCTION auth."init"() RETURNS void
STRICT
LANGUAGE c
AS 'MODULE_PATHNAME', 'init_wrapper';

CREATE FUNCTION auth."jwt_session_init"("jwt" TEXT) RETURNS void
STRICT
LANGUAGE c
AS 'MODULE_PATHNAME', 'jwt_session_init_wrapper';

CREATE FUNCTION auth."session"() RETURNS jsonb
STRICT /* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'session_wrapper';

CREATE FUNCTION auth."user_id"() RETURNS TEXT
STRICT /* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'user_id_wrapper';

CREATE FUNCTION auth."uid"() RETURNS uuid
STRICT /* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'uid_wrapper';

CREATE FUNCTION auth."jwt"() RETURNS jsonb
STRICT /* reads */
LANGUAGE c
AS 'MODULE_PATHNAME', 'jwt_wrapper';
