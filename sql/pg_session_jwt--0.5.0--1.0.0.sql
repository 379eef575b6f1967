-- Turns any catalog of version 0.5.0 into that of a new installation of 1.0.0.
--
-- Policies, defaults and views depend on the existing functions, which are therefore replaced and never dropped. New
-- functions must not exist yet: another function of the same name in schema "auth" stops the update.
\echo Use "ALTER EXTENSION pg_session_jwt UPDATE TO '1.0.0'" to load this file. \quit

CREATE OR REPLACE FUNCTION auth.init() RETURNS pg_catalog.void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'init_wrapper';

CREATE OR REPLACE FUNCTION auth.jwt_session_init(jwt pg_catalog.text) RETURNS pg_catalog.void
VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_session_init_wrapper';

CREATE FUNCTION auth.jwt_session_init(jwt pg_catalog.text, is_local pg_catalog.bool) RETURNS pg_catalog.void
VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_session_init_local_wrapper';

CREATE OR REPLACE FUNCTION auth.user_id() RETURNS pg_catalog.text
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'user_id_wrapper';

-- Development builds of 0.4.0 had an auth.uid() that returns text. The library returns a uuid, so this function is
-- dropped. If policies depend on it, the error names them.
DO LANGUAGE plpgsql $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
                WHERE n.nspname OPERATOR(pg_catalog.=) 'auth' AND p.proname OPERATOR(pg_catalog.=) 'uid'
                  AND p.pronargs OPERATOR(pg_catalog.=) 0
                  AND p.prorettype OPERATOR(pg_catalog.<>) 'pg_catalog.uuid'::pg_catalog.regtype) THEN
        DROP FUNCTION auth.uid();
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION auth.uid() RETURNS pg_catalog.uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'uid_wrapper';

CREATE OR REPLACE FUNCTION auth.session() RETURNS pg_catalog.jsonb
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'session_wrapper';

CREATE OR REPLACE FUNCTION auth.jwt() RETURNS pg_catalog.jsonb
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'jwt_wrapper';

CREATE OR REPLACE FUNCTION auth.organization() RETURNS pg_catalog.jsonb
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'organization_wrapper';

CREATE OR REPLACE FUNCTION auth.organization_id() RETURNS pg_catalog.uuid
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'organization_id_wrapper';

CREATE FUNCTION auth.role() RETURNS pg_catalog.text
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'role_wrapper';

CREATE FUNCTION auth.email() RETURNS pg_catalog.text
STRICT STABLE PARALLEL SAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'email_wrapper';

CREATE FUNCTION auth.status() RETURNS TABLE (
    mode pg_catalog.text,
    identity pg_catalog.bool,
    provider pg_catalog.int4,
    issuer pg_catalog.text,
    kid pg_catalog.text,
    user_id pg_catalog.text,
    expires_at pg_catalog.timestamptz,
    seconds_left pg_catalog.int8,
    reason pg_catalog.text,
    warning pg_catalog.text
)
STRICT STABLE PARALLEL RESTRICTED
LANGUAGE c AS 'MODULE_PATHNAME', 'status_wrapper';

CREATE FUNCTION auth.providers() RETURNS TABLE (
    provider pg_catalog.int4,
    issuer pg_catalog.text,
    source pg_catalog.text,
    location pg_catalog.text,
    kid pg_catalog.text,
    kty pg_catalog.text,
    alg pg_catalog.text,
    usable pg_catalog.bool,
    reason pg_catalog.text,
    fetched_at pg_catalog.timestamptz,
    next_refresh pg_catalog.timestamptz,
    last_error pg_catalog.text
)
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'providers_wrapper';

CREATE FUNCTION auth.provider_settings(url pg_catalog.text, fill_in pg_catalog.jsonb DEFAULT '{}') RETURNS TABLE (
    provider pg_catalog.text,
    settings pg_catalog.jsonb,
    to_fill_in pg_catalog.jsonb,
    note pg_catalog.text,
    page pg_catalog.text,
    statement pg_catalog.text
)
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'provider_settings_wrapper';

CREATE FUNCTION auth.refresh_providers() RETURNS pg_catalog.bool
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'refresh_providers_wrapper';

CREATE FUNCTION auth.activity() RETURNS TABLE (
    pid pg_catalog.int4,
    database pg_catalog.name,
    role pg_catalog.name,
    mode pg_catalog.text,
    issuer pg_catalog.text,
    user_id pg_catalog.text,
    kid pg_catalog.text,
    since pg_catalog.timestamptz,
    expires_at pg_catalog.timestamptz,
    scope pg_catalog.text
)
STRICT VOLATILE PARALLEL RESTRICTED
LANGUAGE c AS 'MODULE_PATHNAME', 'activity_wrapper';

CREATE FUNCTION auth.stats() RETURNS TABLE (
    database pg_catalog.name,
    issuer pg_catalog.text,
    statistic pg_catalog.text,
    detail pg_catalog.text,
    value pg_catalog.float8,
    stats_reset pg_catalog.timestamptz
)
STRICT VOLATILE PARALLEL RESTRICTED
LANGUAGE c AS 'MODULE_PATHNAME', 'stats_wrapper';

CREATE FUNCTION auth.reset_stats() RETURNS pg_catalog.void
STRICT VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'reset_stats_wrapper';

CREATE FUNCTION auth.check() RETURNS TABLE (
    severity pg_catalog.text,
    finding pg_catalog.text,
    object pg_catalog.text,
    problem pg_catalog.text,
    remedy pg_catalog.text,
    count pg_catalog.int8,
    allowed_because pg_catalog.text
)
STRICT VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET jit TO off
LANGUAGE c AS 'MODULE_PATHNAME', 'check_wrapper';

CREATE FUNCTION auth.check_sarif(file pg_catalog.text DEFAULT 'schema.sql', with_allowed pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.jsonb
STRICT VOLATILE PARALLEL UNSAFE SET search_path TO pg_catalog, pg_temp SET jit TO off
LANGUAGE c AS 'MODULE_PATHNAME', 'check_sarif_wrapper';

CREATE FUNCTION auth.verify(jwt pg_catalog.text, role pg_catalog.text DEFAULT NULL) RETURNS TABLE (
    rule pg_catalog.text,
    passed pg_catalog.bool,
    detail pg_catalog.text
)
VOLATILE PARALLEL UNSAFE
LANGUAGE c AS 'MODULE_PATHNAME', 'verify_wrapper';

COMMENT ON EXTENSION pg_session_jwt IS 'the verified JSON Web Token of a session as its identity, for row-level security';

-- The rest is sql/roles.sql, sql/privileges.sql and sql/comments.sql, line by line.

-- The roles that policies and grants name.
--
-- Roles belong to the whole cluster. They may exist already, another database may be creating them at this moment, and
-- DROP EXTENSION keeps them. They are NOLOGIN, because all end users share them and a role may change its own password
-- and settings.
DO LANGUAGE plpgsql $$
DECLARE
    wanted pg_catalog.text;
    danger pg_catalog.text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['authenticated', 'anonymous']::pg_catalog.text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) wanted) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database was faster; the role is checked below like any existing one.
            END;
            -- REPEATABLE READ hides the role of the other transaction, which therefore cannot be checked.
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) wanted) THEN
                RAISE EXCEPTION USING
                    ERRCODE = 'serialization_failure',
                    MESSAGE = pg_catalog.format('role "%s" was created by a concurrent transaction', wanted),
                    HINT = 'Try again.';
            END IF;
        END IF;
        -- Neither the role nor any role that it can SET ROLE to may bypass row-level security, read the server's files,
        -- or read all settings. Files and settings may contain keys.
        SELECT CASE WHEN r.oid OPERATOR(pg_catalog.=) w.oid
               THEN pg_catalog.format('It has %s.', a.attributes)
               WHEN a.attributes OPERATOR(pg_catalog.<>) ''
               THEN pg_catalog.format('It is a member of role "%s", which has %s.', r.rolname, a.attributes)
               ELSE pg_catalog.format('It is a member of role "%s".', r.rolname) END
          INTO danger
          FROM pg_catalog.pg_roles w, pg_catalog.pg_roles r, LATERAL (
               SELECT pg_catalog.concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
                                                 CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
                                                 CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                                                 CASE WHEN r.rolreplication THEN 'REPLICATION' END)) a (attributes)
         WHERE w.rolname OPERATOR(pg_catalog.=) wanted
           AND pg_catalog.pg_has_role(w.oid, r.oid, 'MEMBER')
           AND (a.attributes OPERATOR(pg_catalog.<>) '' OR r.rolname OPERATOR(pg_catalog.=) ANY (
                ARRAY['pg_execute_server_program', 'pg_read_all_settings', 'pg_read_server_files',
                      'pg_write_server_files']::pg_catalog.name[]))
         ORDER BY r.oid OPERATOR(pg_catalog.=) w.oid DESC, r.rolname
         LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = pg_catalog.format('role "%s" has more privileges than end users may have', wanted),
                DETAIL = danger,
                HINT = pg_catalog.format('All end users share this role. Remove its privileges (ALTER ROLE %I NOSUPERUSER '
                                         'NOBYPASSRLS NOCREATEROLE NOREPLICATION; REVOKE for a membership), or rename '
                                         'the role, and try again.', wanted);
        END IF;
    END LOOP;
END
$$;

-- Only superusers may change the schema and its functions, and only the privileges below are granted.
--
-- The objects of an old installation may belong to another role (REASSIGN OWNED), which could replace the functions. New
-- objects may have been granted to others by default privileges; pg_depend has them with the xmin of the extension's own
-- row. Grants that an administrator made on existing objects stay, except CREATE on the schema.
DO LANGUAGE plpgsql $$
DECLARE
    statement pg_catalog.text;
    schema_owner pg_catalog.name;
BEGIN
    SELECT r.rolname INTO schema_owner
      FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
     WHERE n.nspname OPERATOR(pg_catalog.=) 'auth' AND NOT r.rolsuper
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e, pg_catalog.pg_depend d
                        WHERE e.extname OPERATOR(pg_catalog.=) 'pg_session_jwt'
                          AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                          AND d.refobjid OPERATOR(pg_catalog.=) e.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
                          AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                          AND d.objid OPERATOR(pg_catalog.=) n.oid);
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = pg_catalog.format('schema "auth" belongs to role "%s" and not to this extension', schema_owner),
            DETAIL = 'Its owner could rename it and replace its functions.',
            HINT = 'Make a superuser its owner (ALTER SCHEMA auth OWNER TO ...), and try again.';
    END IF;
    FOR statement IN
        SELECT pg_catalog.format('ALTER SCHEMA %I OWNER TO CURRENT_USER', n.nspname)
          FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
         WHERE n.nspname OPERATOR(pg_catalog.=) 'auth' AND NOT r.rolsuper
         UNION ALL
        SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO CURRENT_USER', p.oid::pg_catalog.regprocedure)
          FROM pg_catalog.pg_extension e
               JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.refobjid OPERATOR(pg_catalog.=) e.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
               JOIN pg_catalog.pg_proc p ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                AND p.oid OPERATOR(pg_catalog.=) d.objid
               JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.proowner
         WHERE e.extname OPERATOR(pg_catalog.=) 'pg_session_jwt' AND NOT r.rolsuper
    LOOP
        EXECUTE statement;
    END LOOP;
    FOR statement IN
        SELECT pg_catalog.format('REVOKE %s ON SCHEMA %I FROM %s CASCADE',
                                 CASE WHEN d.xmin OPERATOR(pg_catalog.=) e.xmin THEN 'ALL' ELSE 'CREATE' END, n.nspname,
                                 CASE WHEN r.rolname IS NULL THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END)
          FROM pg_catalog.pg_extension e
               JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.refobjid OPERATOR(pg_catalog.=) e.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
               JOIN pg_catalog.pg_namespace n ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                AND n.oid OPERATOR(pg_catalog.=) d.objid
               CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) g
               LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) g.grantee
         WHERE e.extname OPERATOR(pg_catalog.=) 'pg_session_jwt' AND g.grantee OPERATOR(pg_catalog.<>) n.nspowner
         UNION
        SELECT pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %I CASCADE', p.oid::pg_catalog.regprocedure, r.rolname)
          FROM pg_catalog.pg_extension e
               JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND d.refobjid OPERATOR(pg_catalog.=) e.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
                AND d.xmin OPERATOR(pg_catalog.=) e.xmin
               JOIN pg_catalog.pg_proc p ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                AND p.oid OPERATOR(pg_catalog.=) d.objid
               CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) g
               JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) g.grantee
         WHERE e.extname OPERATOR(pg_catalog.=) 'pg_session_jwt' AND g.grantee OPERATOR(pg_catalog.<>) p.proowner
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

-- Each role may read the identity of the session.
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- Addresses, paths and errors of the providers are for roles that may read the setting.
REVOKE EXECUTE ON FUNCTION auth.providers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.providers() TO pg_read_all_settings;
REVOKE EXECUTE ON FUNCTION auth.provider_settings(pg_catalog.text, pg_catalog.jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.provider_settings(pg_catalog.text, pg_catalog.jsonb) TO pg_read_all_settings;

-- What a token lacks is for those who configure providers; it is no help to those who make tokens.
REVOKE EXECUTE ON FUNCTION auth.verify(pg_catalog.text, pg_catalog.text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.verify(pg_catalog.text, pg_catalog.text) TO pg_read_all_settings;

-- Each call sends requests to the providers, without the limit that tokens have.
REVOKE EXECUTE ON FUNCTION auth.refresh_providers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.refresh_providers() TO pg_signal_backend;

-- Who is connected is for those who may see every session's statement.
REVOKE EXECUTE ON FUNCTION auth.activity() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.activity() TO pg_monitor, pg_read_all_stats;

-- The statistics are of all databases. Only superusers may reset them.
REVOKE EXECUTE ON FUNCTION auth.stats() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.stats() TO pg_monitor, pg_read_all_stats;
REVOKE EXECUTE ON FUNCTION auth.reset_stats() FROM PUBLIC;

-- End users must not learn the weaknesses of the database.
REVOKE EXECUTE ON FUNCTION auth.check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.check() TO pg_read_all_settings, pg_database_owner;
REVOKE EXECUTE ON FUNCTION auth.check_sarif(pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.check_sarif(pg_catalog.text, pg_catalog.bool) TO pg_read_all_settings, pg_database_owner;

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
