//! The check of the login at the start.

use rstest::rstest;
use testkit::server::{Server, major};
use testkit::session::run;

use super::{does_not_start, serves};
use crate::running::Gateway;
use crate::{ALICE, SERVER, create_login, database, settings, token};

/// Each finding of the login check, and that the gateway does not start.
#[rstest]
#[case("alter role jwt_gateway superuser", "login is a superuser")]
#[case("alter role jwt_gateway bypassrls", "login has BYPASSRLS")]
#[case("alter role jwt_gateway createrole", "login has CREATEROLE")]
#[case("alter role jwt_gateway createdb", "login has CREATEDB")]
#[case("alter role jwt_gateway replication", "login has REPLICATION")]
#[case("alter role jwt_gateway inherit", "login has INHERIT")]
#[case("grant pg_monitor to jwt_gateway", "login is a member of pg_monitor")]
#[case(
    "grant authenticated to jwt_gateway with admin option",
    "login has the ADMIN OPTION for authenticated"
)]
#[case("revoke anonymous from jwt_gateway", "login is not a member of anonymous")]
#[case("create table t (); alter table t owner to jwt_gateway", "login owns 1 objects")]
#[case("alter role authenticated superuser", "role authenticated is a superuser")]
#[case("alter role authenticated bypassrls", "role authenticated has BYPASSRLS")]
#[case("alter role authenticated createrole", "role authenticated has CREATEROLE")]
#[case("alter role authenticated replication", "role authenticated has REPLICATION")]
#[case(
    "drop extension pg_session_jwt cascade",
    "does not have the extension pg_session_jwt"
)]
fn a_login_that_is_more(#[case] sql: &str, #[case] finding: &str) {
    let server = Server::start(&settings());
    create_login(&server);
    let database = server.database();
    run(&mut server.connect(&database, "postgres", ""), sql);
    let error = does_not_start(&server, &database, &[]);
    assert!(error.contains(finding), "{error}");
}

/// PostgreSQL 16 and later have these options for each membership.
#[rstest]
#[case(
    "grant authenticated to jwt_gateway with inherit true",
    "login inherits the privileges of authenticated"
)]
#[case(
    "grant authenticated to jwt_gateway with set false",
    "login cannot SET ROLE authenticated"
)]
fn a_membership_that_is_another(#[case] sql: &str, #[case] finding: &str) {
    if major() >= 16 {
        a_login_that_is_more(sql, finding);
    }
}

/// An end user can make large objects, which then belong to the login. They must not keep the gateway from its start.
#[test]
fn a_large_object_of_the_login() {
    let database = database();
    let permit = "grant execute on function lo_create(oid) to public";
    run(&mut SERVER.connect(&database, "postgres", ""), permit);
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let alice = token(ALICE, 600);
    let create = "do $$ begin reset role; perform lo_create(0); end $$";
    assert_eq!(gateway.with(&alice).query(create, &[]).0, 200);
    drop(gateway);
    serves(&SERVER, &database, &[]);
}
