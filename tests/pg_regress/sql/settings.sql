-- Every setting that lists show, who may set it, and where it begins (pg_session_jwt.jwt is in no list). The library
-- brings them with the first call of a function.
SELECT auth.user_id();
SELECT name, vartype, context, boot_val, unit, min_val, max_val
FROM pg_settings WHERE name LIKE 'pg\_session\_jwt.%' OR name LIKE 'request.%' ORDER BY name COLLATE "C";

-- What the claims setting is when nobody has set it; what the token's is; neither is an error.
SELECT current_setting('request.jwt.claims'), current_setting('pg_session_jwt.jwt'), current_setting('pg_session_jwt.jwk');

-- An ordinary user may present a token and, in claims mode, be told claims; nothing else.
SET ROLE authenticated;
SET request.jwt.claims = '{"sub":"alice"}';
SET pg_session_jwt.jwt = '';
SET pg_session_jwt.claims_fallback = off;
SET pg_session_jwt.leeway = 300;
SET pg_session_jwt.audit_log = off;
SET pg_session_jwt.jwk = '';
RESET ROLE;
