-- All objects of the extension; it must have no others.
SELECT pg_describe_object(classid, objid, 0) AS member
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_session_jwt')
ORDER BY pg_describe_object(classid, objid, 0) COLLATE "C";

-- The schema has no other objects, members of the extension or not.
SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'auth'::regnamespace) AS functions,
       (SELECT count(*) FROM pg_class WHERE relnamespace = 'auth'::regnamespace) AS relations,
       (SELECT count(*) FROM pg_type WHERE typnamespace = 'auth'::regnamespace) AS types,
       (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'auth'::regnamespace) AS operators;

-- Signatures.
SELECT proname AS name, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS returns
FROM pg_proc WHERE pronamespace = 'auth'::regnamespace AND proname NOT IN ('activity', 'stats', 'status', 'providers', 'check', 'provider_settings', 'verify')
ORDER BY proname, pronargs;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.activity()'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.stats()'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.status()'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.providers()'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.provider_settings(text, jsonb)'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode
FROM pg_proc WHERE oid = 'auth.check()'::regprocedure;
SELECT unnest(proargnames) AS column, unnest(proallargtypes)::regtype AS type, unnest(proargmodes) AS mode, pronargdefaults AS defaults
FROM pg_proc WHERE oid = 'auth.verify(text, text)'::regprocedure;

-- How PostgreSQL may call them: s = stable, v = volatile; s = parallel safe, r = restricted, u = unsafe.
SELECT oid::regprocedure AS function, provolatile AS volatile, proparallel AS parallel, proisstrict AS strict,
       prosecdef AS definer, proleakproof AS leakproof, proretset AS set, prokind AS kind
FROM pg_proc WHERE pronamespace = 'auth'::regnamespace
ORDER BY proname, pronargs;

-- The symbols of the functions. Databases of older versions refer to these names.
SELECT p.oid::regprocedure AS function, prosrc AS symbol, probin AS library, lanname AS language, proconfig AS settings
FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = 'auth'::regnamespace
ORDER BY proname, pronargs;

-- PUBLIC may use the schema and call all functions but those for administrators; only the owner may add objects.
SELECT n.nspname AS schema, coalesce(r.rolname, 'PUBLIC') AS grantee, privilege_type AS privilege, is_grantable
FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = 'auth' AND a.grantee <> n.nspowner;
SELECT count(*) AS functions, count(proacl) AS with_other_rights_than_the_default
FROM pg_proc WHERE pronamespace = 'auth'::regnamespace;
SELECT p.proname AS function, coalesce(r.rolname, 'PUBLIC') AS grantee, privilege_type AS privilege, is_grantable
FROM pg_proc p CROSS JOIN aclexplode(p.proacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE p.pronamespace = 'auth'::regnamespace AND a.grantee <> p.proowner
ORDER BY 1, 2;

-- The roles.
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit
FROM pg_roles WHERE rolname IN ('authenticated', 'anonymous') ORDER BY 1;

-- Every object has a comment.
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_session_jwt')
  AND obj_description(objid, classid::regclass::name) IS NULL;
