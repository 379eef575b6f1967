//! One row for all children of a table that have the same problem: partitions, tables that inherit, and the chunks of
//! TimescaleDB, which are children in another schema.

use std::collections::{BTreeMap, HashMap};

use pgrx::spi;

use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::pg::sql_types::TextBytes;

/// Each child with the table at the top. A child of several tables belongs to the one that was made first.
const ROOTS: &str = ", ancestor (child, parent) AS (
    SELECT i.inhrelid, i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
     UNION
    SELECT a.child, i.inhparent FROM ancestor a JOIN pg_inherits i ON i.inhrelid = a.parent
), root (child, oid) AS (
    SELECT a.child, min(a.parent) FROM ancestor a
     WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = a.parent) GROUP BY a.child
) ";

const CHILDREN: &str = "SELECT child::regclass::text, oid::regclass::text FROM root";

/// How end users lose the children of each table, and still read them through it. Their schema suffices if end users need
/// nothing else in it. Otherwise the privileges on the children are revoked.
const REVOCATIONS: &str = "SELECT g.oid::regclass::text, s.revocation,
       (SELECT string_agg(DISTINCT COALESCE(quote_ident(r.rolname), 'PUBLIC'), ', ')
          FROM root c JOIN pg_class t ON t.oid = c.child CROSS JOIN LATERAL (
                   SELECT grantee FROM aclexplode(t.relacl)
                    UNION
                   SELECT a.grantee FROM pg_attribute n CROSS JOIN LATERAL aclexplode(n.attacl) a WHERE n.attrelid = t.oid) a
               LEFT JOIN pg_roles r ON r.oid = a.grantee
         WHERE c.oid = g.oid AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM reach)))
  FROM (SELECT r.oid, min(c.relnamespace) AS schema
          FROM root r JOIN pg_class c ON c.oid = r.child JOIN pg_class p ON p.oid = r.oid
         GROUP BY r.oid, p.relnamespace) g
       LEFT JOIN LATERAL (
           SELECT format('REVOKE USAGE ON SCHEMA %I FROM %s;', n.nspname,
                         string_agg(DISTINCT COALESCE(quote_ident(r.rolname), 'PUBLIC'), ', ')) AS revocation
             FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
            WHERE n.oid = g.schema AND a.privilege_type = 'USAGE' AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM reach))
              AND NOT EXISTS (SELECT FROM pg_class p WHERE p.oid = g.oid AND p.relnamespace = n.oid)
              AND NOT EXISTS (SELECT FROM root o JOIN pg_class c ON c.oid = o.child
                               WHERE o.oid = g.oid AND c.relnamespace <> n.oid)
              AND NOT EXISTS (SELECT FROM pg_proc f WHERE f.pronamespace = n.oid)
              AND NOT EXISTS (SELECT FROM may m JOIN relation x ON x.oid = m.oid
                               WHERE x.schema = n.oid AND m.oid NOT IN (SELECT child FROM root))
            GROUP BY n.nspname) s ON true";

/// The privileges that bypass row-level security.
const BYPASSING: &str = if cfg!(any(feature = "pg15", feature = "pg16")) {
    "TRUNCATE, TRIGGER, REFERENCES"
} else {
    "TRUNCATE, TRIGGER, REFERENCES, MAINTAIN"
};

/// The children that a statement names; more are found by a query.
const MAX_NAMES: usize = 20;

/// The finding, the object in which the table at the top replaces the child, and the problem.
type Key = (Finding, Vec<u8>, Vec<u8>);

#[derive(Default)]
struct Group {
    root: Vec<u8>,
    rows: Vec<FindingRow>,
}

/// Replaces the rows of two or more children of a table that have the same finding and problem by one.
pub fn group(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    let mut roots = HashMap::new();
    catalog.each(&format!("{ROOTS}{CHILDREN}"), |row| {
        if let (Some(child), Some(root)) = (row.get::<TextBytes>(1)?, row.get::<TextBytes>(2)?) {
            roots.insert(child.0, root.0);
        }
        Ok(())
    })?;
    if roots.is_empty() {
        return Ok(());
    }
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let mut others = Vec::new();
    for row in rows.drain(..) {
        match of_children(&row.object, &roots) {
            Some((object, root)) => {
                let group = groups.entry((row.finding, object, row.problem.clone())).or_default();
                group.root = root;
                group.rows.push(row);
            }
            None => others.push(row),
        }
    }
    let revocations = match groups.values().any(|group| group.rows.len() > 1) {
        true => revocations(catalog)?,
        false => HashMap::new(),
    };
    for (
        (finding, object, problem),
        Group {
            root,
            rows: mut of_group,
        },
    ) in groups
    {
        if of_group.len() == 1 {
            others.append(&mut of_group);
            continue;
        }
        let names: Vec<&[u8]> = of_group.iter().map(|row| row.object.as_slice()).collect();
        let problem = [
            format!("{} of them, such as ", names.len()).as_bytes(),
            names[0],
            b": ",
            &problem,
        ]
        .concat();
        let remedy = match (finding, revocations.get(&root)) {
            (Finding::TableWithoutRls | Finding::ForeignTable, Some(revocation)) => revocation.of("ALL", &root, &names),
            (Finding::PrivilegeBypassesRls, Some(revocation)) => revocation.of(BYPASSING, &root, &names),
            _ => None,
        };
        let remedy = remedy.unwrap_or_else(|| {
            let mut remedies: Vec<&[u8]> = of_group.iter().map(|row| row.remedy.as_slice()).collect();
            remedies.dedup();
            remedies.join(&b'\n')
        });
        let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
        others.push(FindingRow {
            count,
            ..FindingRow::new(finding, object, problem, remedy)
        });
    }
    *rows = others;
    Ok(())
}

/// The object of a group in the place of a child: the child itself, the table of a policy, or that of a column. Also the
/// table at the top.
fn of_children(object: &[u8], roots: &HashMap<Vec<u8>, Vec<u8>>) -> Option<(Vec<u8>, Vec<u8>)> {
    let on = positions(object, b" ON ").map(|at| (at + 4, object.len()));
    let column = positions(object, b" (").map(|at| (0, at));
    std::iter::once((0, object.len()))
        .chain(on)
        .chain(column)
        .find_map(|(from, to)| {
            let root = roots.get(&object[from..to])?;
            let grouped = [&object[..from], b"children of ", root, &object[to..]].concat();
            Some((grouped, root.clone()))
        })
}

/// The positions of a part in a text.
pub fn positions<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = text.windows(part.len()).enumerate();
    windows.filter(move |(_, window)| *window == part).map(|(at, _)| at)
}

/// What takes the children of a table away from end users.
struct Revocation {
    by_schema: Option<Vec<u8>>,
    grantees: Option<Vec<u8>>,
}

fn revocations(catalog: &Catalog<'_>) -> spi::Result<HashMap<Vec<u8>, Revocation>> {
    let mut all = HashMap::new();
    catalog.each(&format!("{ROOTS}{REVOCATIONS}"), |row| {
        let text = |column| catalog_query::text_or_null(row, column);
        if let Some(root) = text(1)? {
            let revocation = Revocation {
                by_schema: text(2)?,
                grantees: text(3)?,
            };
            all.insert(root, revocation);
        }
        Ok(())
    })?;
    Ok(all)
}

impl Revocation {
    /// The statement; None where no grant gives the privileges.
    fn of(&self, privileges: &str, root: &[u8], names: &[&[u8]]) -> Option<Vec<u8>> {
        if let Some(statement) = &self.by_schema {
            return Some(statement.clone());
        }
        let grantees = self.grantees.as_deref()?;
        let begin = format!("REVOKE {privileges} ON ").into_bytes();
        let end = [b" FROM ", grantees].concat();
        if names.len() <= MAX_NAMES {
            return Some([begin, names.join(&b", "[..]), end, b";".to_vec()].concat());
        }
        let block = [
            b"DECLARE child pg_catalog.regclass; BEGIN FOR child IN WITH RECURSIVE c (oid) AS (SELECT inhrelid FROM \
              pg_catalog.pg_inherits WHERE inhparent = "
                .to_vec(),
            literal(root),
            b"::pg_catalog.regclass UNION SELECT i.inhrelid FROM c JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid) \
              SELECT oid FROM c LOOP EXECUTE pg_catalog.concat("
                .to_vec(),
            literal(&begin),
            b", child, ".to_vec(),
            literal(&end),
            b"); END LOOP; END".to_vec(),
        ];
        Some([b"DO ".to_vec(), literal(&block.concat()), b";".to_vec()].concat())
    }
}

/// A text as SQL writes it, for any `standard_conforming_strings`.
fn literal(text: &[u8]) -> Vec<u8> {
    let mut quoted = if text.contains(&b'\\') {
        b"E'".to_vec()
    } else {
        b"'".to_vec()
    };
    for byte in text {
        if matches!(byte, b'\'' | b'\\') {
            quoted.push(*byte);
        }
        quoted.push(*byte);
    }
    quoted.push(b'\'');
    quoted
}
