-- What psql shows for each object (\dn+ auth, \df+ auth.*).

COMMENT ON SCHEMA auth IS 'The identity of the session, from its verified JSON Web Token (pg_session_jwt)';
COMMENT ON FUNCTION auth.init() IS
    'Checks that tokens can be verified; error 55000 without a key, 22023 with an unusable one';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text) IS
    'Verifies a JSON Web Token and sets its identity for the session; error 28000 for a rejected or malformed token, 22004 for NULL, and neither changes anything';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text, pg_catalog.bool) IS
    'Verifies a JSON Web Token and sets its identity, if is_local for the transaction only; errors as for jwt_session_init(text)';
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
    'One row on the session''s identity: mode, provider, user id and expiry, or the reason why there is no identity; a warning if no policy restricts the session; never an error';
COMMENT ON FUNCTION auth.providers() IS
    'One row per key of pg_session_jwt.providers, for administrators: whether and why it is unusable, when it was fetched, and the last fetch error; error 22023 if the setting is unusable';
COMMENT ON FUNCTION auth.verify(pg_catalog.text, pg_catalog.text) IS
    'One row per rule for a JSON Web Token, for administrators: whether it is met (NULL: not checked, or without effect) and by what; the last row is the outcome; sets no identity; with role, the roles of the provider count';
COMMENT ON FUNCTION auth.provider_settings(pg_catalog.text, pg_catalog.jsonb) IS
    'One row per entry for the provider of a URL, for administrators: the entry, what to fill in, and the statement that adds it to pg_session_jwt.providers; reads no network and writes nothing; error 22023 if the URL identifies none';
COMMENT ON FUNCTION auth.refresh_providers() IS
    'Fetches the key set of each jwks_url of this server now, for administrators, and waits for that; true if all were received; auth.providers() has the errors';
COMMENT ON FUNCTION auth.activity() IS
    'One row per connection of this server that has an identity, for monitoring: pid, database, role, mode, issuer, user_id, kid, since, expires_at and scope; needs shared_preload_libraries';
COMMENT ON FUNCTION auth.stats() IS
    'One row per number that the server has counted since stats_reset, for monitoring: tokens by database, issuer and origin or reason of rejection, the milliseconds of their verification, fetches of key sets, the shared cache; needs shared_preload_libraries';
COMMENT ON FUNCTION auth.reset_stats() IS
    'Sets all numbers of auth.stats() to 0, for superusers; needs shared_preload_libraries';
COMMENT ON FUNCTION auth.check() IS
    'One row per finding on this database, for administrators: severity (critical, warning, notice, allowed), finding, object, problem, remedy, count of its objects, and why a comment allows it; docs/check.md lists the findings';
COMMENT ON FUNCTION auth.check_sarif(pg_catalog.text, pg_catalog.bool) IS
    'The findings of auth.check() as a log in SARIF 2.1.0 for code hosts, for administrators: each at the first line of the file; with_allowed: also those that comments allow, as suppressed';
