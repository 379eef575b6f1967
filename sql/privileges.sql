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
