-- The roles that policies and grants name. Roles belong to the whole cluster: they may be there already, another database
-- may be making them at this moment, and DROP EXTENSION leaves them. NOLOGIN, because all end users share them and a role
-- may change its own password and settings.
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
                NULL; -- Another database was faster; the role is looked at below like any that was there.
            END;
            -- Under REPEATABLE READ the other one's role cannot be seen, and what cannot be seen cannot be looked at.
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) wanted) THEN
                RAISE EXCEPTION USING
                    ERRCODE = 'serialization_failure',
                    MESSAGE = pg_catalog.format('role "%s" was created by a concurrent transaction', wanted),
                    HINT = 'Try again.';
            END IF;
        END IF;
        -- What the role is, or can become by SET ROLE, must not stand above row-level security, read the server's
        -- files (keys may be there), or read every setting (keys may be there, too).
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
                MESSAGE = pg_catalog.format('role "%s" has more rights than end users may have', wanted),
                DETAIL = danger,
                HINT = pg_catalog.format('All end users share this role. Take from it what they may not have (ALTER ROLE '
                                         '%I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION; REVOKE for a '
                                         'membership), or rename it, and try again.', wanted);
        END IF;
    END LOOP;
END
$$;

-- Nobody but a superuser may change what is here, and nobody gets more than what follows. An old installation may have
-- been given away (REASSIGN OWNED): its owner could change the functions again. Default privileges give to others what is
-- made; what this script has made is in pg_depend with the xmin of the extension's own row. What an administrator has
-- granted on what was there before stays, but for CREATE.
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
            DETAIL = 'Its owner could rename it and put other functions in the place of these.',
            HINT = 'Give it to a superuser (ALTER SCHEMA auth OWNER TO ...), and try again.';
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

-- To read one's own identity is no privilege.
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- Addresses, paths and errors of the providers are the administrator's business: that of whoever may read the setting.
REVOKE EXECUTE ON FUNCTION auth.providers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.providers() TO pg_read_all_settings;

-- What is wrong with a site is nothing for its end users.
REVOKE EXECUTE ON FUNCTION auth.check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.check() TO pg_read_all_settings, pg_database_owner;

COMMENT ON SCHEMA auth IS 'The identity of the session, from its verified JSON Web Token (pg_session_jwt)';
COMMENT ON FUNCTION auth.init() IS
    'Checks that there is a usable key to verify tokens with; error 55000 if there is none, 22023 if it cannot be used';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text) IS
    'Verifies a JSON Web Token and takes on its identity for the session; error 28000 if it is refused, 22023 if it is malformed; a failure changes nothing';
COMMENT ON FUNCTION auth.jwt_session_init(pg_catalog.text, pg_catalog.bool) IS
    'Verifies a JSON Web Token and takes on its identity, if is_local until the transaction ends; errors as for jwt_session_init(text)';
COMMENT ON FUNCTION auth.user_id() IS
    'Claim sub of the session''s token; NULL without an identity; error 28000 if it has expired';
COMMENT ON FUNCTION auth.uid() IS
    'Claim sub as uuid; NULL without an identity or if it is no UUID; error 28000 if it has expired';
COMMENT ON FUNCTION auth.session() IS
    'All claims of the session''s token; JSON null without an identity; error 28000 if it has expired';
COMMENT ON FUNCTION auth.jwt() IS
    'All claims of the session''s token; JSON null without an identity; error 28000 if it has expired';
COMMENT ON FUNCTION auth.organization() IS
    'Claim o if it is an object, else NULL; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.organization_id() IS
    'Member id of claim o if it is a UUID, else NULL; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.role() IS
    'Claim role if it is a string, else NULL (it is never used for SET ROLE); error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.email() IS
    'Claim email if it is a string, else NULL; error 28000 if the identity has expired';
COMMENT ON FUNCTION auth.status() IS
    'Why the identity of this session is what it is: mode, whether there is one, and the reason in words if there is none; never an error';
COMMENT ON FUNCTION auth.providers() IS
    'The keys of the providers in pg_session_jwt.providers, for administrators: which can be used, why not, when they were fetched and why that failed; error 22023 if the setting cannot be used';
COMMENT ON FUNCTION auth.check() IS
    'What is wrong with this database, one row for each finding, for administrators: severity (critical, warning, notice), finding, object, problem and remedy; docs/check.md lists the findings';
