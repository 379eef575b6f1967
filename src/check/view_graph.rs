//! Views and materialized views, with the relations that they read.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys::Oid;
use pgrx::prelude::*;

use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::messages;

/// The levels of views over each other that are inspected: the number of steps from a view to the tables grows with them.
pub const MAX_LEVELS: usize = 500;

/// Views and materialized views, and what they read. A remedy is NULL where no grant on the object gives the privilege.
const RELATIONS: &str = ", option (oid, barrier, checks) AS (
    SELECT r.oid, COALESCE(bool_or(o.option_value::bool) FILTER (WHERE o.option_name = 'security_barrier'), false),
           COALESCE(max(o.option_value) FILTER (WHERE o.option_name = 'check_option'), '')
      FROM relation r JOIN pg_class c ON c.oid = r.oid LEFT JOIN LATERAL pg_options_to_table(c.reloptions) o ON true
     WHERE r.kind = 'v' GROUP BY r.oid
), part (of, oid) AS (
    SELECT DISTINCT w.ev_class, d.refobjid FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class JOIN pg_depend d
           ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
     WHERE w.ev_type = '1' AND d.refobjid <> w.ev_class
), parts (of, oids) AS (
    SELECT of, array_agg(oid ORDER BY oid) FROM part GROUP BY of
) SELECT r.oid, r.name::text, r.kind::text, r.invoker, r.owner, r.rls, r.forced, o.barrier, o.checks,
         EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = r.oid AND t.tgtype & 64 <> 0), p.oids, g.who, g.privileges,
         format('REVOKE ALL ON %s FROM ', r.name) || n.names || ';'
    FROM relation r LEFT JOIN option o ON o.oid = r.oid LEFT JOIN parts p ON p.of = r.oid LEFT JOIN granted g ON g.oid = r.oid
         LEFT JOIN grantee n ON n.oid = r.oid
   WHERE r.kind IN ('v', 'm') OR r.oid IN (SELECT oid FROM part)";

/// The owners of views that read as their owner, and the owners of tables whose privileges each has.
const OWNERS: &str = ", viewer AS (SELECT DISTINCT owner FROM relation WHERE kind = 'v' AND NOT invoker)
 SELECT o.oid, quote_ident(o.rolname), o.rolsuper OR o.rolbypassrls, ARRAY(
            SELECT t.owner FROM (SELECT DISTINCT owner FROM relation WHERE kind IN ('r', 'p')) t WHERE pg_has_role(o.oid, t.owner, 'USAGE'))
   FROM viewer v JOIN pg_roles o ON o.oid = v.owner";

/// Who may access a relation, and what revokes that.
pub struct Granted {
    pub who: Vec<u8>,
    pub privileges: String,
    pub revoke: Option<Vec<u8>>,
}

/// A view, a materialized view, or what one of these reads.
pub struct Relation {
    pub name: Vec<u8>,
    kind: u8,
    is_invoker: bool,
    owner: Oid,
    pub has_rls: bool,
    is_forced: bool,
    pub has_barrier: bool,
    pub checks: Vec<u8>,
    pub has_trigger: bool,
    pub parts: Vec<Oid>,
    pub granted: Option<Granted>,
}

impl Relation {
    pub fn is_view(&self) -> bool {
        self.kind == b'v'
    }

    pub fn is_materialized(&self) -> bool {
        self.kind == b'm'
    }

    /// Whether rows are read from it, not from its parts.
    pub fn has_rows(&self) -> bool {
        [b'r', b'p', b'f', b'm'].contains(&self.kind)
    }

    /// Whether it can have row-level security.
    pub fn is_table(&self) -> bool {
        [b'r', b'p'].contains(&self.kind)
    }

    /// The role that reads the parts of a view, where its reader is `actor`. No role stands for the caller.
    pub fn reader(&self, actor: Option<Oid>) -> Option<Oid> {
        match self.is_view() && !self.is_invoker {
            true => Some(self.owner),
            false => actor,
        }
    }
}

/// The owner of a view.
struct Owner {
    name: Vec<u8>,
    bypasses: bool,
    /// The owners of tables whose privileges it has.
    roles: HashSet<Oid>,
}

pub struct ViewGraph {
    pub relations: HashMap<Oid, Relation>,
    owners: HashMap<Oid, Owner>,
    /// The views and materialized views from the tables upwards. The last ones read each other in a circle.
    pub order: Vec<Oid>,
    /// The place of the first one of these.
    pub circles_from: usize,
    /// Those that lie at the lowest level above the limit.
    too_deep: Vec<Oid>,
}

impl ViewGraph {
    pub fn load(catalog: &Catalog<'_>) -> spi::Result<ViewGraph> {
        let mut relations = HashMap::new();
        catalog.each(RELATIONS, |row| {
            let text = |column| catalog_query::text_or_null(row, column);
            let is = |column| Ok::<_, spi::Error>(row.get::<bool>(column)?.unwrap_or(false));
            let who = text(12)?;
            let (privileges, revoke) = (row.get::<String>(13)?.unwrap_or_default(), text(14)?);
            let relation = Relation {
                name: text(2)?.unwrap_or_default(),
                kind: text(3)?.unwrap_or_default().first().copied().unwrap_or_default(),
                is_invoker: is(4)?,
                owner: row.get(5)?.unwrap_or_default(),
                has_rls: is(6)?,
                is_forced: is(7)?,
                has_barrier: is(8)?,
                checks: text(9)?.unwrap_or_default(),
                has_trigger: is(10)?,
                parts: row.get(11)?.unwrap_or_default(),
                granted: who.map(|who| Granted {
                    who,
                    privileges,
                    revoke,
                }),
            };
            relations.insert(row.get::<Oid>(1)?.unwrap_or_default(), relation);
            Ok(())
        })?;
        let mut owners = HashMap::new();
        if !relations.is_empty() {
            catalog.each(OWNERS, |row| {
                let owner = Owner {
                    name: catalog_query::text(row, 2)?,
                    bypasses: row.get(3)?.unwrap_or(false),
                    roles: row.get::<Vec<Oid>>(4)?.unwrap_or_default().into_iter().collect(),
                };
                owners.insert(row.get::<Oid>(1)?.unwrap_or_default(), owner);
                Ok(())
            })?;
        }
        let mut graph = ViewGraph {
            relations,
            owners,
            order: Vec::new(),
            circles_from: 0,
            too_deep: Vec::new(),
        };
        graph.find_levels();
        Ok(graph)
    }

    /// The views and materialized views that are inspected.
    pub fn all(&self) -> impl Iterator<Item = (Oid, &Relation)> {
        self.order.iter().map(|oid| (*oid, &self.relations[oid]))
    }

    /// The parts of a relation that have parts themselves.
    pub fn inner(&self, relation: Oid) -> impl Iterator<Item = Oid> {
        let parts = self.relations.get(&relation).map_or(&[][..], |it| &it.parts);
        let has_parts = |part: &Oid| {
            let relation = self.relations.get(part);
            relation.is_some_and(|it| it.is_view() || it.is_materialized())
        };
        parts.iter().copied().filter(has_parts)
    }

    /// Orders the relations, each after what it reads, up to the limit.
    fn find_levels(&mut self) {
        let mut levels: HashMap<Oid, usize> = HashMap::new();
        let mut missing: HashMap<Oid, usize> = HashMap::new();
        let mut readers: HashMap<Oid, Vec<Oid>> = HashMap::new();
        let mut next: Vec<Oid> = Vec::new();
        for (oid, relation) in &self.relations {
            if !relation.is_view() && !relation.is_materialized() {
                continue;
            }
            let count = self
                .inner(*oid)
                .map(|part| readers.entry(part).or_default().push(*oid))
                .count();
            missing.insert(*oid, count);
            if count == 0 {
                next.push(*oid);
            }
        }
        while let Some(oid) = next.pop() {
            check_for_interrupts!();
            missing.remove(&oid);
            let below = self.inner(oid).filter_map(|part| levels.get(&part)).max();
            let level = below.map_or(1, |below| below + 1);
            levels.insert(oid, level);
            match level.checked_sub(MAX_LEVELS) {
                None | Some(0) => self.order.push(oid),
                Some(1) => self.too_deep.push(oid),
                Some(_) => {}
            }
            for reader in readers.get(&oid).map_or(&[][..], Vec::as_slice) {
                if let Some(count) = missing.get_mut(reader) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(*reader);
                    }
                }
            }
        }
        self.circles_from = self.order.len();
        // A circle, and what reads it. Only one over a materialized view can be read at all.
        let circles: Vec<Oid> = missing.into_keys().collect();
        let is_above_limit = |part: Oid| levels.get(&part).is_some_and(|level| *level > MAX_LEVELS);
        if circles.len() > MAX_LEVELS || circles.iter().any(|oid| self.inner(*oid).any(is_above_limit)) {
            let lowest = circles.into_iter().min_by_key(|oid| self.name(*oid));
            self.too_deep.extend(lowest);
        } else {
            self.order.extend(circles);
        }
    }

    pub fn name(&self, relation: Oid) -> &[u8] {
        self.relations.get(&relation).map_or(b"", |it| &it.name)
    }

    pub fn owner_name(&self, owner: Oid) -> &[u8] {
        self.owners.get(&owner).map_or(b"", |it| &it.name)
    }

    /// Whether row-level security of a table does not apply to the owner of a view.
    pub fn is_bypassed(&self, table: &Relation, reader: Option<Oid>) -> bool {
        let owner = reader.and_then(|reader| self.owners.get(&reader));
        owner.is_some_and(|it| it.bypasses || !table.is_forced && it.roles.contains(&table.owner))
    }

    /// Whether the owner of a view reads all rows of a table.
    pub fn is_open(&self, table: Oid, reader: Option<Oid>) -> bool {
        let Some(table) = self.relations.get(&table) else {
            return false;
        };
        reader.is_some() && table.has_rows() && (!table.has_rls || self.is_bypassed(table, reader))
    }

    /// The views at the limit; those over them are not inspected either.
    pub fn inspect_levels(&self, rows: &mut Vec<FindingRow>) {
        let too_deep = self.too_deep.iter();
        rows.extend(
            too_deep.map(|oid| FindingRow::with(Finding::NotChecked, self.name(*oid), messages::TOO_MANY_LEVELS)),
        );
    }
}
