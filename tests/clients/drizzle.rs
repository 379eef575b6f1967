//! Drizzle: drizzle-kit makes a migration of the schema in TypeScript and applies it unchanged.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{SERVER, does_the_scenario, empty_database, laid_out, output};

/// A program of the npm packages, in the project's directory.
fn npx(name: &str, project: &Path) -> Command {
    let mut program = Command::new(project.join("node_modules/.bin").join(name));
    program.current_dir(project);
    program
}

/// The migration of a schema, applied by the owner of a new database, and its SQL.
pub fn migrated(schema: &str) -> (String, String) {
    let database = empty_database();
    let project = laid_out().join("node");
    let migrations = SERVER.directory().join(schema);
    let url = format!("postgresql://owner@127.0.0.1:{}/{database}", SERVER.port());
    for command in ["generate", "migrate"] {
        let mut kit = npx("drizzle-kit", &project);
        kit.arg(command).env("SCHEMA", schema).env("MIGRATIONS", &migrations);
        output(kit.env("OWNER_URL", &url));
    }
    let sql = fs::read_dir(&migrations)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .unwrap();
    (database, fs::read_to_string(sql).unwrap())
}

/// The policies of the table, with what they say.
fn policies(database: &str) -> Vec<String> {
    let mut admin = SERVER.connect(database, "postgres", "");
    let rows = admin.query(
        "select concat_ws(' ', policyname, cmd, roles) from pg_policies where tablename = 'todos' order by 1",
        &[],
    );
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

pub fn drizzle(schema: &str, driver: &str) -> Command {
    let mut tsx = npx("tsx", &laid_out().join("node"));
    tsx.args(["drizzle.ts", schema, driver]);
    tsx
}

fn scenario(schema: &str, driver: &str, database: &str) {
    does_the_scenario(&mut drizzle(schema, driver), database);
}

#[test]
fn policies_written_by_hand() {
    let (database, sql) = migrated("pg-policy");
    let policy = r#"USING ((select auth.user_id() = "todos"."user_id"))"#;
    assert!(sql.contains(policy), "{sql}");
    assert_eq!(
        policies(&database),
        [
            "create own todos INSERT {authenticated}",
            "delete own todos DELETE {authenticated}",
            "read own todos SELECT {authenticated}",
            "update own todos UPDATE {authenticated}"
        ]
    );
    scenario("pg-policy", "pg", &database);
}

#[test]
fn crud_policies_of_neon() {
    let (database, sql) = migrated("crud-policy");
    let policy = r#"CREATE POLICY "crud-authenticated-policy-select" ON "todos" AS PERMISSIVE FOR SELECT TO "authenticated" USING ((select auth.user_id() = "todos"."user_id"));"#;
    assert!(sql.contains(policy), "{sql}");
    assert_eq!(
        policies(&database),
        [
            "crud-authenticated-policy-delete DELETE {authenticated}",
            "crud-authenticated-policy-insert INSERT {authenticated}",
            "crud-authenticated-policy-select SELECT {authenticated}",
            "crud-authenticated-policy-update UPDATE {authenticated}"
        ]
    );
    scenario("crud-policy", "postgres", &database);
}

#[test]
fn the_user_of_supabase_is_a_uuid() {
    let (database, sql) = migrated("supabase");
    assert!(sql.contains(r#""todos"."user_id" = (select auth.uid())"#), "{sql}");
    assert_eq!(policies(&database), ["own todos ALL {authenticated}"]);
    scenario("supabase", "pg", &database);
}
