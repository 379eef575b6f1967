//! The functions of the application, and the relations whose rows depend on the identity, as the catalogs have them.

use pgrx::pg_sys::Oid;
use pgrx::spi;

use crate::check::catalog_query;
use crate::check::catalog_query::Catalog;
use crate::check::source_text::{self, Call, Source};
use crate::pg::sql_types::StoredTree;

/// Functions of the application, and those of this extension that return a part of the identity. A set or a record is never
/// computed by the planner, and a trigger's function has no call.
const FUNCTIONS: &str = "SELECT p.oid, n.nspname::text, p.proname::text, p.oid::regprocedure::text, p.provolatile = 'i',
       p.proleakproof, NOT p.proretset AND p.prokind = 'f' AND p.prorettype NOT IN ('record'::regtype, 'trigger'::regtype, 'event_trigger'::regtype),
       p.pronargs > p.pronargdefaults, p.pronargs > 0, p.prosecdef, d.oid IS NOT NULL, l.lanname::text,
       CASE WHEN s.is_read AND d.oid IS NULL AND l.lanname NOT IN ('c', 'internal') THEN p.prosrc END,
       CASE WHEN s.is_read AND d.oid IS NULL THEN p.prosqlbody END, NOT s.is_read,
       EXISTS (SELECT FROM reach a WHERE has_function_privilege(a.oid, p.oid, 'EXECUTE') AND has_schema_privilege(a.oid, n.oid, 'USAGE')),
       p.proowner
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
       LEFT JOIN (pg_depend x JOIN pg_extension d ON d.oid = x.refobjid)
              ON x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e' AND x.refclassid = 'pg_extension'::regclass
       CROSS JOIN LATERAL (SELECT octet_length(p.prosrc) <= $MAX_BYTES AND COALESCE(octet_length(p.prosqlbody::text), 0) <= 64 * $MAX_BYTES) s (is_read)
 WHERE p.prokind IN ('f', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND (d.oid IS NULL OR d.extname = 'pg_session_jwt'
        AND p.proname::text IN ('user_id', 'uid', 'session', 'jwt', 'organization', 'organization_id', 'role', 'email', 'status'))
 ORDER BY p.oid";

/// Relations whose rows depend on the identity: tables with such a policy, views over the identity, and views over these.
const RELATIONS: &str = ", dependent (oid, by_policies) AS (
    SELECT r.oid, true FROM relation r JOIN pg_policy p ON p.polrelid = r.oid JOIN pg_depend d
           ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass WHERE r.rls
     UNION
    SELECT w.ev_class, false FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
           JOIN pg_depend e ON d.refclassid = 'pg_proc'::regclass AND e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'
           JOIN pg_extension x ON e.refclassid = 'pg_extension'::regclass AND x.oid = e.refobjid AND x.extname = 'pg_session_jwt'
     UNION
    SELECT w.ev_class, t.by_policies FROM dependent t JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
           AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite w ON w.oid = d.objid
) SELECT r.oid, n.nspname::text, c.relname::text, bool_and(t.by_policies)
    FROM dependent t JOIN relation r ON r.oid = t.oid JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
   GROUP BY r.oid, n.nspname, c.relname";

/// A relation whose rows depend on the identity.
pub struct DependentRelation {
    pub oid: Oid,
    pub schema: Vec<u8>,
    pub name: Vec<u8>,
    /// Whether it does so by policies only, which do not apply to roles that bypass them.
    pub is_by_policies: bool,
}

/// A function of the application or of this extension.
pub struct Function {
    pub oid: Oid,
    pub schema: Vec<u8>,
    pub name: Vec<u8>,
    /// Name and types of arguments, as in SQL.
    pub signature: Vec<u8>,
    pub is_immutable: bool,
    pub is_leakproof: bool,
    /// Whether the planner computes a call with known arguments, if the function is IMMUTABLE.
    pub is_computed: bool,
    pub needs_arguments: bool,
    pub has_arguments: bool,
    pub is_definer: bool,
    pub is_reader: bool,
    pub is_too_large: bool,
    /// Whether end users may execute it.
    pub is_executable: bool,
    pub owner: Oid,
    /// The relations that it reads, among those whose rows depend on the identity.
    pub relations: Vec<Oid>,
    /// What it reads of the session, without the functions that it calls.
    pub reads: Option<Vec<u8>>,
    /// Whether it names a claim that its user can write.
    pub names_user_claim: bool,
    pub source: Source,
}

/// A call of another node of the graph, by its index.
#[derive(Clone, Copy)]
pub struct Edge {
    pub to: usize,
    pub is_constant: bool,
}

/// What the catalogs have.
pub struct Loaded {
    pub functions: Vec<Function>,
    /// The parsed body of each function, if it has one.
    pub bodies: Vec<Option<StoredTree>>,
    pub relations: Vec<DependentRelation>,
}

pub fn load(catalog: &Catalog<'_>) -> spi::Result<Loaded> {
    let mut relations = Vec::new();
    catalog.each(RELATIONS, |row| {
        let text = |column| catalog_query::text_or_null(row, column);
        if let (Some(oid), Some(schema), Some(name)) = (row.get::<Oid>(1)?, text(2)?, text(3)?) {
            relations.push(DependentRelation {
                oid,
                schema,
                name,
                is_by_policies: row.get(4)?.unwrap_or(false),
            });
        }
        Ok(())
    })?;
    let mut functions = Vec::new();
    let mut bodies = Vec::new();
    let sql = FUNCTIONS.replace("$MAX_BYTES", &source_text::MAX_BYTES.to_string());
    catalog.each(&sql, |row| {
        let text = |column| catalog_query::text_or_null(row, column);
        let is = |column| Ok::<_, spi::Error>(row.get::<bool>(column)?.unwrap_or(false));
        let language = text(12)?.unwrap_or_default();
        let source = text(13)?.unwrap_or_default();
        bodies.push(row.get::<StoredTree>(14)?);
        let is_reader = is(11)?;
        let name = text(3)?.unwrap_or_default();
        functions.push(Function {
            oid: row.get(1)?.unwrap_or_default(),
            schema: text(2)?.unwrap_or_default(),
            signature: text(4)?.unwrap_or_default(),
            is_immutable: is(5)?,
            is_leakproof: is(6)?,
            is_computed: is(7)?,
            needs_arguments: is(8)?,
            has_arguments: is(9)?,
            is_definer: is(10)?,
            is_reader,
            is_too_large: is(15)?,
            is_executable: is(16)?,
            owner: row.get(17)?.unwrap_or_default(),
            relations: Vec::new(),
            names_user_claim: false,
            reads: is_reader.then(|| [b"auth.", name.as_slice(), b"()"].concat()),
            source: source_text::read(&String::from_utf8_lossy(&language), &source),
            name,
        });
        Ok(())
    })?;
    Ok(Loaded {
        functions,
        bodies,
        relations,
    })
}

impl Function {
    /// Whether a call in a source text may be one of this function.
    pub fn may_be(&self, call: &Call) -> bool {
        let fits = if call.has_arguments {
            self.has_arguments
        } else {
            !self.needs_arguments
        };
        fits && call
            .function
            .schema
            .as_ref()
            .is_none_or(|schema| *schema == self.schema)
    }
}
