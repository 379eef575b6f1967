-- Every setting that lists show, its context and its default (lists leave pg_session_jwt.jwt out). The first call of a
-- function loads the library, which defines them.
SELECT auth.user_id();
SELECT name, vartype, context, boot_val, unit, min_val, max_val
FROM pg_settings WHERE name LIKE 'pg\_session\_jwt.%' OR name LIKE 'request.%' ORDER BY name COLLATE "C";

-- The claims setting while it is not set, and the token's; neither is an error.
SELECT current_setting('request.jwt.claims'), current_setting('pg_session_jwt.jwt'), current_setting('pg_session_jwt.jwk');

-- An ordinary user may only present a token and, in claims mode, set claims.
SET ROLE authenticated;
SET request.jwt.claims = '{"sub":"alice"}';
SET pg_session_jwt.jwt = '';
SET pg_session_jwt.claims_fallback = off;
SET pg_session_jwt.leeway = 300;
SET pg_session_jwt.audit_log = off;
SET pg_session_jwt.jwk = '';
RESET ROLE;
