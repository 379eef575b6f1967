-- What psql shows for each object (\dn+ auth, \df+ auth.*).

COMMENT ON SCHEMA auth IS 'The identity of the session, from its verified JSON Web Token (pg_session_jwt)';
COMMENT ON FUNCTION auth.init() IS
    'Checks that tokens can be verified; error 55000 without a key, 22023 with an unusable one';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text) IS
    'Verifies a JSON Web Token and sets its identity for the session; NULL changes nothing; error 28000 for a rejected token, 22023 for a malformed one, and neither changes anything';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text, pg_catalog.bool) IS
    'Verifies a JSON Web Token and sets its identity, if is_local for the transaction only; NULL and errors as for jwt_session_init(text)';
COMMENT ON FUNCTION auth.user_id() IS
    'Claim sub, or the claim that the provider names, as text; NULL without an identity; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.uid() IS
    'The user id as uuid; NULL without an identity or if the user id is not a UUID; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.session() IS
    'All claims as jsonb; JSON null without an identity; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.jwt() IS
    'All claims as jsonb; JSON null without an identity; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.organization() IS
    'Claim o as jsonb; NULL without an identity or if the claim is not an object; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.organization_id() IS
    'Member id of claim o as uuid; NULL without an identity or if the member is not a UUID; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.role() IS
    'Claim role as text, which SET ROLE never uses; NULL without an identity or if the claim is not a string; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.email() IS
    'Claim email as text; NULL without an identity or if the claim is not a string; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.status() IS
    'One row on the session''s identity: mode, provider, user id and expiry, or the reason why there is no identity; never an error';
COMMENT ON FUNCTION auth.providers() IS
    'One row per key of pg_session_jwt.providers, for administrators: whether and why it is unusable, when it was fetched, and the last fetch error; error 22023 if the setting is unusable';
COMMENT ON FUNCTION auth.check() IS
    'One row per finding on this database, for administrators: severity (critical, warning, notice), finding, object, problem and remedy; docs/check.md lists the findings';
