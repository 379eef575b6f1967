//! What the tables that policies read have to do with the tables of the policies.

use pgrx::spi;

use crate::check::catalog_query::Catalog;
use crate::check::eval::table::{Link, Links};

/// For each table that a policy of another table reads: the columns that tell which rows of that table belong to it, and
/// whether end users can insert rows. Such a column has the same name and type in both tables, or foreign keys connect the
/// two. A text counts only if its name ends in `_id`.
const LINKS: &str = "SELECT l.policy_table, l.other, ARRAY(
           SELECT a.attnum FROM pg_attribute a JOIN pg_attribute b ON b.attname = a.attname AND b.atttypid = a.atttypid
            WHERE a.attrelid = l.other AND b.attrelid = l.policy_table AND a.attnum > 0 AND b.attnum > 0
              AND NOT a.attisdropped AND NOT b.attisdropped AND a.attname <> 'id'
              AND (a.atttypid IN ('int4'::regtype, 'int8'::regtype, 'uuid'::regtype) OR a.attname::text LIKE '%\\_id')
            UNION
           SELECT unnest(c.conkey) FROM pg_constraint c
            WHERE c.contype = 'f' AND c.conrelid = l.other
              AND (c.confrelid = l.policy_table OR c.confrelid IN (
                       SELECT o.confrelid FROM pg_constraint o WHERE o.contype = 'f' AND o.conrelid = l.policy_table))
            UNION
           SELECT unnest(c.confkey) FROM pg_constraint c
            WHERE c.contype = 'f' AND c.conrelid = l.policy_table AND c.confrelid = l.other),
       l.other IN (SELECT m.oid FROM may m WHERE m.privilege = 'INSERT') AND EXISTS (
           SELECT FROM pg_class r
            WHERE r.oid = l.other AND (NOT r.relrowsecurity OR EXISTS (
                      SELECT FROM pg_policy i
                       WHERE i.polrelid = r.oid AND i.polpermissive AND i.polcmd IN ('a', '*')
                         AND (i.polqual IS NOT NULL OR i.polwithcheck IS NOT NULL))))
  FROM (SELECT DISTINCT p.polrelid AS policy_table, d.refobjid AS other
          FROM pg_policy p JOIN relation t ON t.oid = p.polrelid
               JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                               AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> p.polrelid) l";

pub fn of_policies(catalog: &Catalog<'_>) -> spi::Result<Links> {
    let mut links = Links::new();
    catalog.each(LINKS, |row| {
        if let (Some(table), Some(other)) = (row.get(1)?, row.get(2)?) {
            let link = Link {
                columns: row.get(3)?.unwrap_or_default(),
                may_insert: row.get(4)?.unwrap_or(false),
            };
            links.insert((table, other), link);
        }
        Ok(())
    })?;
    Ok(links)
}
