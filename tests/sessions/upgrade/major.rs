//! pg_upgrade from one cluster of the tested major to a new one.

use std::fs;

use testkit::data_directory::initdb;
use testkit::server::{Server, pg_config, unprivileged_user};
use testkit::session::{Proxy, one, run};

use crate::support::application::{fill, is_intact};
use crate::support::extension_catalog::{assert_same_facts, facts};
use crate::support::pg_upgrade::upgrade;

/// attack: 124
#[test]
fn pg_upgrade_works_preloaded_and_with_an_unusable_key() {
    let mut server = Server::start_empty("shared_preload_libraries = 'pg_session_jwt'");
    let mut admin = server.connect("postgres", "postgres", "");
    run(&mut admin, "create database app");
    let mut owner = server.connect("app", "postgres", "");
    run(&mut owner, "create extension pg_session_jwt");
    fill(&server, &mut owner, &mut Proxy::new());
    let before = facts(&mut owner);
    drop((admin, owner));

    let user = unprivileged_user();
    server.restart_after(|directory| {
        let (old, new) = (directory.join("old"), directory.join("data"));
        fs::rename(&new, &old).unwrap();
        initdb(&new, user);
        let settings = fs::read_to_string(old.join("postgresql.auto.conf")).unwrap();
        let unusable = format!("{settings}pg_session_jwt.jwk = 'nonsense'\n");
        fs::write(new.join("postgresql.auto.conf"), unusable).unwrap();
        upgrade(directory, &pg_config("--bindir"), &old, &new);
        fs::write(new.join("postgresql.auto.conf"), settings).unwrap();
    });
    let mut moved = server.connect("app", "postgres", "");
    assert_same_facts("after pg_upgrade", &facts(&mut moved), &before);
    assert_eq!(one::<i64>(&mut moved, "select count(*) from pg_policies"), 2);
    is_intact(&server, "app");
}
