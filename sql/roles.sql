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
