\echo Use "CREATE EXTENSION pg_session_jwt" to load this file. \quit

-- The first check of the installation: `CREATE SCHEMA IF NOT EXISTS auth` follows, and PostgreSQL's own error for an
-- existing schema is unhelpful. The owner of an existing schema could rename it and replace it by a look-alike.
--
-- This script runs as superuser also for the owner of the database (`trusted`), who may have filled any other schema
-- with look-alikes. Therefore it qualifies every function, operator, type and relation with its schema.
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
            HINT = 'pg_session_jwt creates its own schema "auth". Drop the existing one, or rename it: '
                   'ALTER SCHEMA auth RENAME TO auth_old.';
    END IF;
END
$$;
