//! Statements that are new in PostgreSQL 19, on tables whose policies read the identity.

use std::io::Read;

use postgres::Client;
use testkit::server::{SHARED, major};
use testkit::session::{rejects, rows, run};

const POLICIES: [&str; 2] = ["auth.user_id() = user_id", "(select auth.user_id() = user_id)"];

/// A session of mallory on tables with this policy, which have rows of alice too. None before PostgreSQL 19.
fn mallory(policy: &str) -> Option<Client> {
    if major() < 19 {
        return None;
    }
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(
        &mut client,
        &format!(
            "create table names (name text primary key, user_id text);
             insert into names values ('secret', 'alice'), ('own', 'mallory');
             create table parts (id int, user_id text) partition by list (id);
             create table first partition of parts for values in (1);
             create table others partition of parts default;
             insert into parts values (1, 'alice'), (1, 'mallory'), (2, 'alice'), (3, 'mallory'), (4, null);
             alter table names enable row level security; alter table parts enable row level security;
             create policy own on names to authenticated using ({policy}) with check ({policy});
             create policy own on parts to authenticated using ({policy}) with check ({policy});
             grant all on names, parts to authenticated;
             set request.jwt.claims = '{{\"sub\":\"mallory\"}}'; set role authenticated"
        ),
    );
    Some(client)
}

fn copied(client: &mut Client, sql: &str) -> String {
    let mut text = String::new();
    client.copy_out(sql).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// attack: 76
#[test]
fn copy_of_a_partitioned_table_has_own_rows() {
    for policy in POLICIES {
        let Some(mut client) = mallory(policy) else { return };
        assert_eq!(copied(&mut client, "copy parts to stdout"), "1\tmallory\n3\tmallory\n");
        assert_eq!(
            copied(&mut client, "copy parts to stdout (format json)"),
            "{\"id\":1,\"user_id\":\"mallory\"}\n{\"id\":3,\"user_id\":\"mallory\"}\n"
        );
        run(&mut client, "reset request.jwt.claims");
        assert_eq!(copied(&mut client, "copy parts to stdout"), "");
    }
}

/// attack: 76
#[test]
fn conflict_does_not_return_the_row_of_another() {
    for policy in POLICIES {
        let Some(mut client) = mallory(policy) else { return };
        let hidden = "new row violates row-level security policy (USING expression) for table \"names\"";
        for action in ["do select", "do select for update", "do select where true"] {
            let insert = |name: &str| {
                format!("insert into names values ('{name}', 'mallory') on conflict (name) {action} returning name")
            };
            rejects(&mut client, &insert("secret"), "42501", hidden);
            assert_eq!(
                rows(&mut client, &insert("own")),
                [[Some("own".to_owned())]],
                "{action}"
            );
        }
    }
}
