-- Claims mode: no key is set, and a trusted gateway has set request.jwt.claims.
\pset null <null>

-- No claims are set.
SELECT auth.user_id(), auth.uid(), auth.session(), auth.jwt(), auth.organization(), auth.organization_id(), auth.role(), auth.email();
SELECT auth.user_id() IS NULL AS no_user, auth.session() IS NULL AS sql_null, auth.session() = 'null' AS json_null;
SELECT * FROM auth.status();

-- All claims; numbers keep their digits.
SET request.jwt.claims = '{"sub":"2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f11","role":"editor","email":"a@example.com","o":{"id":"0190163d-8694-739b-aea5-966c26f8ad91","rol":"admin"},"n":12345678901234567890123,"f":1.50}';
SELECT auth.user_id(), auth.uid(), auth.role(), auth.email();
SELECT auth.session();
SELECT auth.jwt() = auth.session() AS the_same;
SELECT auth.organization(), auth.organization_id();
SELECT mode, identity, user_id, reason FROM auth.status();

-- A user id that is not a UUID.
SET request.jwt.claims = '{"sub":"alice"}';
SELECT auth.user_id(), auth.uid();

-- A UUID in its canonical form, in the other spellings that PostgreSQL reads, and texts that only look like one.
CREATE FUNCTION uid_of(sub text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', json_build_object('sub', sub)::text, true);
    RETURN auth.uid();
END $$;
SELECT sub, uid_of(sub) FROM unnest(ARRAY[
    '2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f11',
    '2C9A4B9E-6D0F-4A3F-8F86-1B1F4F7C2F11', '2c9a4b9e6d0f4a3f8f861b1f4f7c2f11', '{2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f11}',
    '2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f1', '2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f11 ', '2c9a4b9e-6d0f-4a3f-8f86-1b1f4f7c2f1g',
    '']) sub;
DROP FUNCTION uid_of;

-- Claims of the wrong type count as absent.
CREATE FUNCTION seen(claims text, OUT user_id text, OUT role text, OUT email text, OUT organization jsonb, OUT organization_id uuid)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', claims, true);
    SELECT auth.user_id(), auth.role(), auth.email(), auth.organization(), auth.organization_id()
    INTO user_id, role, email, organization, organization_id;
END $$;
SELECT claims, seen.* FROM unnest(ARRAY[
    '{"sub":1,"role":1,"email":1,"o":1}', '{"sub":null,"role":null,"email":null,"o":null}',
    '{"sub":["a"],"role":["a"],"email":["a"],"o":["a"]}', '{"sub":{},"role":{},"email":{},"o":{}}',
    '{"sub":"","role":"","email":"","o":{"id":""}}', '{"o":{"id":1}}', '{"SUB":"a","Role":"a"}', '{}']) claims, seen(claims);
DROP FUNCTION seen;

-- A value that is not a JSON object gives no identity.
CREATE FUNCTION session_of(claims text, OUT session jsonb, OUT user_id text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', claims, true);
    SELECT auth.session(), auth.user_id() INTO session, user_id;
END $$;
SELECT claims, session_of.* FROM unnest(ARRAY[
    '', ' ', '{', '[]', '["sub"]', '"sub"', '1', '{"sub":"a"', '{"sub":"a"} x', '{sub:"a"}', 'null', '{"sub":"\u0000"}',
    '{"sub":"\ud800"}', '{"sub":"a","sub":"b"}', ' {"sub":"a"} ', '{"sub":"a\nb\u00e9"}']) claims, session_of(claims);
DROP FUNCTION session_of;

-- Local claims end with the transaction, all others with RESET.
RESET request.jwt.claims;
BEGIN;
SET LOCAL request.jwt.claims = '{"sub":"alice"}';
SELECT auth.user_id();
COMMIT;
SELECT auth.user_id();
SET request.jwt.claims = '{"sub":"alice"}';
BEGIN;
SET request.jwt.claims = '{"sub":"bob"}';
SELECT auth.user_id();
ROLLBACK;
SELECT auth.user_id();
DISCARD ALL;
SELECT auth.user_id();

-- With claims_fallback off, claims are not trusted.
SET request.jwt.claims = '{"sub":"alice"}';
SET pg_session_jwt.claims_fallback = off;
SELECT auth.user_id(), auth.session();
SELECT mode, identity, reason FROM auth.status();
RESET pg_session_jwt.claims_fallback;
SELECT auth.user_id();
