//! Everything in the catalogs about the extension, as text: two catalogs are equal if their texts are.
//!
//! PostgreSQL turns whole rows into JSON, so that no column of any major is missed. OIDs always differ and are left
//! out; roles, schemas and languages appear by name.

use postgres::Client;

const FACTS: &str = r#"
with extension as (
    select * from pg_extension where extname = 'pg_session_jwt'
), member as (
    select d.* from pg_depend d, extension e
    where d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'
), subject as (
    select classid, objid from member
    union all select 'pg_extension'::regclass, oid from extension
), function as (
    select p.* from pg_proc p, member m where m.classid = 'pg_proc'::regclass and m.objid = p.oid
), schema as (
    select n.* from pg_namespace n, member m where m.classid = 'pg_namespace'::regclass and m.objid = n.oid
)
select fact from (
    select 'extension ' || (to_jsonb(e) - 'oid' || jsonb_build_object(
        'extowner', extowner::regrole, 'extnamespace', extnamespace::regnamespace))::text
    from extension e
    union all select 'member ' || pg_describe_object(classid, objid, objsubid) || (to_jsonb(m) - array[
        'objid', 'refobjid', 'classid', 'refclassid'])::text
    from member m
    union all select 'schema ' || (to_jsonb(n) - 'oid' || jsonb_build_object('nspowner', nspowner::regrole))::text
    from schema n
    -- 'arguments' has the defaults; before PostgreSQL 17 proargdefaults has their places in the script, too.
    union all select 'function ' || oid::regprocedure || ' ' || (to_jsonb(f) - array['oid', 'proargdefaults'] || jsonb_build_object(
        'proowner', proowner::regrole, 'pronamespace', pronamespace::regnamespace,
        'prolang', (select lanname from pg_language l where l.oid = prolang),
        'arguments', pg_get_function_arguments(oid), 'result', pg_get_function_result(oid)))::text
    from function f
    union all select 'comment on ' || pg_describe_object(s.classid, s.objid, 0) || ': ' || d.description
    from subject s join pg_description d on (d.classoid, d.objoid) = (s.classid, s.objid)
    union all select 'dump takes as given on ' || pg_describe_object(s.classid, s.objid, 0) || ': '
        || i.privtype::text || i.initprivs::text
    from subject s join pg_init_privs i on (i.classoid, i.objoid) = (s.classid, s.objid)
    union all select pg_describe_object(d.classid, d.objid, d.objsubid) || ' needs ' || d.deptype::text || ' '
        || pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
    from pg_depend d join subject s using (classid, objid)
    union all select pg_describe_object(d.classid, d.objid, d.objsubid) || ' belongs ' || d.deptype::text || ' '
        || d.refobjid::regrole::text
    from pg_shdepend d join subject s using (classid, objid)
    where d.dbid in (0, (select oid from pg_database where datname = current_database()))
) all_facts(fact) order by fact collate "C""#;

/// One line for each fact.
pub fn facts(client: &mut Client) -> Vec<String> {
    let rows = client.query(FACTS, &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The facts with this beginning.
pub fn facts_about(client: &mut Client, beginning: &str) -> Vec<String> {
    facts(client)
        .into_iter()
        .filter(|fact| fact.starts_with(beginning))
        .collect()
}

/// Asserts that both are equal; shows the facts that only one of them has.
#[track_caller]
pub fn assert_same_facts(what: &str, found: &[String], wanted: &[String]) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|fact| !those.contains(fact)).cloned().collect()
    };
    let (more, less) = (only(found, wanted), only(wanted, found));
    assert!(
        found == wanted,
        "{what}\nhas, and should not:\n{}\nhas not:\n{}",
        more.join("\n"),
        less.join("\n")
    );
}
