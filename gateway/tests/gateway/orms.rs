//! Drizzle and Kysely on the driver: the steps that every client of tests/clients does.

use std::process::Command;

use testkit::session::run;

use crate::SERVER;
use crate::drivers::{environment, laid_out, output};
use crate::running::Gateway;

/// The output of every client.
const EXPECTED: &str = include_str!("../../../tests/clients/expected.txt");

/// A database with Drizzle's schema, as drizzle-kit migrates it.
fn migrated() -> String {
    let database = SERVER.database();
    let grants = "alter default privileges grant select, insert, update, delete on tables to authenticated;
                  alter default privileges grant select on tables to anonymous";
    run(&mut SERVER.connect(&database, "postgres", ""), grants);
    let migrations = SERVER.directory().join(format!("migrations-{database}"));
    let url = format!("postgresql://postgres@127.0.0.1:{}/{database}", SERVER.port());
    for command in ["generate", "migrate"] {
        let mut kit = Command::new(laid_out().join("node_modules/.bin/drizzle-kit"));
        kit.args([command, "--config", "drizzle.config.mjs"])
            .current_dir(laid_out());
        output(kit.env("MIGRATIONS", &migrations).env("OWNER_URL", &url));
    }
    let policies: Vec<String> = SERVER
        .connect(&database, "postgres", "")
        .query(
            "select concat_ws(' ', policyname, cmd, roles) from pg_policies where tablename = 'todos' order by 1",
            &[],
        )
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        policies,
        [
            "crud-authenticated-policy-delete DELETE {authenticated}",
            "crud-authenticated-policy-insert INSERT {authenticated}",
            "crud-authenticated-policy-select SELECT {authenticated}",
            "crud-authenticated-policy-update UPDATE {authenticated}"
        ]
    );
    database
}

#[test]
fn drizzle_and_kysely() {
    let database = migrated();
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let scenario = testkit::root().join("tests/clients/node/scenario.mjs");
    let with_token = testkit::root().join("clients/typescript/src/neon-http.js");
    for client in [
        "drizzle-http",
        "drizzle-websocket",
        "kysely-http",
        "kysely-websocket",
        "with-token-http",
    ] {
        let mut node = Command::new("node");
        node.arg(laid_out().join(format!("{client}.mjs")))
            .env("DRIVER", "@neondatabase/serverless")
            .env("SCENARIO", &scenario)
            .env("WITH_TOKEN", &with_token)
            .envs(environment(&gateway, &database));
        assert_eq!(output(&mut node), EXPECTED, "{client}");
        let mut admin = SERVER.connect(&database, "postgres", "");
        let left: i64 = admin.query_one("select count(*) from todos", &[]).unwrap().get(0);
        assert_eq!(left, 0, "{client}");
    }
}
