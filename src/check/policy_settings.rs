//! Policies that read a setting by a function of the application, which any SQL can set.

use std::collections::HashSet;

use pgrx::prelude::*;

use crate::check::call_graph::CallGraph;
use crate::check::catalog_query;
use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::messages::POLICY_READS_SETTING;
use crate::check::source_text;

/// The policies that call some functions, with the name of each function that they call.
const POLICIES: &str = "SELECT quote_ident(p.polname) || ' ON ' || r.name, f.oid::regprocedure::text
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
       JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
       JOIN pg_proc f ON f.oid = d.refobjid
 WHERE f.oid = ANY (string_to_array('$FUNCTIONS', ',')::oid[])
 GROUP BY 1, 2 ORDER BY 1, 2";

pub fn inspect(catalog: &Catalog<'_>, functions: &CallGraph, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    let reads_setting = |index: &usize| functions.reads(*index) == Some(source_text::SETTING.as_bytes());
    let readers: HashSet<usize> = (0..functions.all.len()).filter(reads_setting).collect();
    if readers.is_empty() {
        return Ok(());
    }
    let oids: Vec<String> = readers
        .iter()
        .map(|index| functions.all[*index].oid.to_u32().to_string())
        .collect();
    catalog.each(&POLICIES.replace("$FUNCTIONS", &oids.join(",")), |row| {
        let (object, function) = (catalog_query::text(row, 1)?, catalog_query::text(row, 2)?);
        rows.push(FindingRow::new(
            Finding::PolicyReadsSetting,
            &object,
            [
                b"It calls ",
                function.as_slice(),
                b", which reads a setting that any SQL can set.",
            ]
            .concat(),
            POLICY_READS_SETTING.remedy,
        ));
        Ok(())
    })
}
