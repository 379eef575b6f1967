-- Errors that need no token: SQLSTATE, message, detail and hint, as psql shows them.
\set VERBOSITY default

-- Without a key.
SELECT auth.init();
\echo :LAST_ERROR_SQLSTATE
SELECT auth.jwt_session_init('a.b.c');
\echo :LAST_ERROR_SQLSTATE
SELECT auth.jwt_session_init('a.b.c', true);
\echo :LAST_ERROR_SQLSTATE
SET pg_session_jwt.jwt = 'a.b.c';
\echo :LAST_ERROR_SQLSTATE
SELECT set_config('pg_session_jwt.jwt', 'a.b.c', true);
\echo :LAST_ERROR_SQLSTATE

-- An empty token is an error, and so is NULL. An empty setting is a logout.
SELECT auth.jwt_session_init('');
\echo :LAST_ERROR_SQLSTATE
SELECT auth.jwt_session_init(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT auth.jwt_session_init(NULL, true);
SELECT auth.jwt_session_init('a.b.c', NULL);
SET pg_session_jwt.jwt = '';

-- A key cannot be set in a session, nor stored for other sessions.
SET pg_session_jwt.jwk = '{}';
\echo :LAST_ERROR_SQLSTATE
ALTER ROLE authenticated SET pg_session_jwt.jwk = '{}';
\echo :LAST_ERROR_SQLSTATE
RESET pg_session_jwt.jwk;
\echo :LAST_ERROR_SQLSTATE

-- A token cannot be stored as a default.
ALTER ROLE authenticated SET pg_session_jwt.jwt = 'a.b.c';
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET pg_session_jwt.jwt = 'a.b.c' AS 'SELECT 1';
\echo :LAST_ERROR_SQLSTATE

-- Settings have their ranges (PostgreSQL words this differently from version to version) and their owners.
\set VERBOSITY sqlstate
SET pg_session_jwt.leeway = 301;
SET pg_session_jwt.leeway = -1;
\set VERBOSITY default
SET pg_session_jwt.leeway = '5min';
SHOW pg_session_jwt.leeway;
RESET pg_session_jwt.leeway;
SET pg_session_jwt.key = 'x';
\echo :LAST_ERROR_SQLSTATE
SET ROLE authenticated;
SET pg_session_jwt.leeway = 0;
\echo :LAST_ERROR_SQLSTATE
SET pg_session_jwt.claims_fallback = on;
\echo :LAST_ERROR_SQLSTATE
SET pg_session_jwt.audit_log = off;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- With an unusable key in the startup packet, no claims are trusted. (psql makes """ into ".)
\connect -reuse-previous=on 'options=''-c pg_session_jwt.jwk=x'''
SELECT auth.init();
\echo :LAST_ERROR_SQLSTATE
SET request.jwt.claims = '{"sub":"victim"}';
SELECT auth.user_id();
\echo :LAST_ERROR_SQLSTATE
SELECT auth.session();
\echo :LAST_ERROR_SQLSTATE
SELECT auth.jwt_session_init('a.b.c');
\echo :LAST_ERROR_SQLSTATE
SELECT mode, identity, reason FROM auth.status();
\connect -reuse-previous=on 'options=''-c pg_session_jwt.jwk={}'''
SELECT auth.user_id();
\connect -reuse-previous=on 'options=''-c pg_session_jwt.jwk={"""kty""":"""oct""","""k""":"""c2VjcmV0"""}'''
SELECT auth.user_id();
\connect -reuse-previous=on 'options=''-c pg_session_jwt.jwk={"""kty""":"""OKP""","""crv""":"""Ed25519""","""x""":"""AAAA"""}'''
SELECT auth.user_id();

-- An empty key in the packet may hide the server's, which is unknown until the library is loaded: the session fails closed.
\connect -reuse-previous=on 'options=''-c pg_session_jwt.jwk='''
SET request.jwt.claims = '{"sub":"alice"}';
SELECT auth.user_id();
