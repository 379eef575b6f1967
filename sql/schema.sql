\echo Use "CREATE EXTENSION pg_session_jwt" to load this file. \quit

-- Before anything is made: `CREATE SCHEMA IF NOT EXISTS auth` follows, and where the schema is somebody else's PostgreSQL
-- refuses it in words that do not help. A schema that another role owns could be renamed and replaced by a look-alike.
--
-- This script runs as superuser for a mere owner of the database (`trusted`), who may have filled any other schema with
-- look-alikes: every function, operator, type and relation in it is named with its schema.
DO LANGUAGE plpgsql $$
DECLARE
    schema_owner pg_catalog.name;
BEGIN
    SELECT r.rolname INTO schema_owner
      FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
     WHERE n.nspname OPERATOR(pg_catalog.=) 'auth';
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema "auth" already exists',
            DETAIL = pg_catalog.format('It belongs to role "%s" and not to this extension.', schema_owner),
            HINT = 'pg_session_jwt makes its own schema "auth". Drop the one that is there, or rename it: '
                   'ALTER SCHEMA auth RENAME TO auth_old.';
    END IF;
END
$$;
