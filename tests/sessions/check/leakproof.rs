//! Functions that are declared LEAKPROOF. PostgreSQL calls them with rows that policies hide from bob: the findings agree
//! with the errors that he sees.

use postgres::Client;
use testkit::session::{rejects, rows, run};

use crate::check::stable_names::{TABLE, become_user};
use crate::check::support::{Site, column, found, owned};

const POLICY: &str = "create policy p on docs for select to authenticated using (auth.user_id() = owner);
    create table members (user_id text); alter table members enable row level security; grant select on members to authenticated;
    create index on members (user_id);
    create policy own on members for select to authenticated using (auth.user_id() = user_id);
    create function me() returns text language plpgsql stable as 'begin return auth.user_id(); end'";

/// Definitions of own(), which raises an error that shows its argument.
const HOLES: [&str; 12] = [
    "language plpgsql stable leakproof as 'begin return o::uuid = auth.uid(); end'",
    "language plpgsql leakproof as 'begin return o::uuid is null or auth.session() is null; end'",
    "language plpgsql leakproof as $$ begin return o::uuid is null or auth.role() = 'admin'; end $$",
    "language plpgsql leakproof strict as 'begin return o::uuid::text = me(); end'",
    "language plpgsql leakproof as $$ begin return o::uuid::text = current_setting('request.jwt.claims', true); end $$",
    "language plpgsql leakproof as 'begin return o::uuid::text = current_user; end'",
    "language plpgsql leakproof as 'begin return o::uuid::text = getpgusername(); end'",
    "language plpgsql leakproof as 'begin return o::uuid::text in (select m.user_id from members m); end'",
    "language plpgsql leakproof as $$ declare it uuid; begin execute 'select auth.' || 'uid()' into it; return o::uuid = it; end $$",
    "language sql stable leakproof security definer as 'select o::uuid = auth.uid()'",
    "language sql stable leakproof set search_path = app as 'select o::uuid = auth.uid()'",
    "language sql stable leakproof security definer begin atomic select o::uuid = auth.uid(); end",
];

/// Asserts the findings after `make`, and the error that bob sees.
#[track_caller]
fn expect(client: &mut Client, make: &str, findings: &[(&str, &str)], shows_alice: bool) {
    run(
        client,
        &format!(
            "{TABLE} {POLICY}; {make}; set pg_session_jwt.claims_fallback = on; set enable_indexscan = off;
             set enable_bitmapscan = off; set enable_indexonlyscan = off"
        ),
    );
    become_user(client, "bob");
    let read = "select owner from docs where own(owner)";
    if shows_alice {
        let shown = "invalid input syntax for type uuid: \"alice\"";
        rejects(client, read, "22P02", shown);
    } else {
        let owners: Vec<_> = rows(client, read).into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(owners, [Some("bob".to_owned())], "{make}");
    }
    run(
        client,
        "reset role; reset request.jwt.claims; reset pg_session_jwt.claims_fallback",
    );
    assert_eq!(found(client), owned(findings), "{make}");
}

#[test]
fn functions_that_read_the_identity_are_found() {
    let mut site = Site::new();
    let client = &mut site.admin;
    for own in HOLES {
        let make = format!("create function own(o text) returns bool cost 0.001 {own}");
        let findings = [("leakproof_function", "app.own(text)")];
        let definer = [findings[0], ("definer_function", "app.own(text)")];
        let findings = if own.contains("definer") {
            &definer[..]
        } else {
            &findings
        };
        let mut sorted = findings.to_vec();
        sorted.sort_unstable();
        expect(client, &make, &sorted, true);
        let remedy = column(client, "remedy", "leakproof_function");
        run(client, &remedy);
        let rest = found(client)
            .into_iter()
            .filter(|(finding, _)| finding != "definer_function");
        assert_eq!(rest.collect::<Vec<_>>(), [], "after the remedy, {own}");
    }
}

#[test]
fn functions_that_do_not_are_not_found() {
    let mut site = Site::new();
    let client = &mut site.admin;
    for own in [
        "language plpgsql leakproof as 'begin return o is not null; end'",
        "language plpgsql leakproof as 'begin return o is not null; end -- auth.user_id()'",
        "language plpgsql leakproof as $$ begin return o <> 'auth.user_id()'; end $$",
        "language plpgsql leakproof as $$ begin return o is not null and current_setting('TimeZone') <> ''; end $$",
        "language plpgsql leakproof as $$ begin return o is not null and has_table_privilege('authenticated', 'app.docs', 'select'); end $$",
        "language plpgsql leakproof as $$ begin raise debug 'current_user'; return o is not null; end $$",
        "language sql stable leakproof return o is not null",
        "language sql stable leakproof begin atomic select o is not null; end",
        "language plpgsql as 'begin return o = auth.user_id(); end'",
        "language sql stable as 'select o = auth.user_id()'",
        "language plpgsql as 'begin return o::uuid is null or true or auth.uid() is null; exception when others then return true; end'",
    ] {
        let make = format!("create function own(o text) returns bool cost 0.001 {own}");
        let findings: &[_] = &[];
        expect(client, &make, findings, false);
    }
    for harmless in [
        "create function who() returns text language sql stable leakproof as 'select auth.user_id()'",
        "create function same(a text, b text) returns bool language sql stable leakproof return a = b",
        "create function own2(o text) returns bool language sql stable leakproof return o = auth.user_id();
         revoke execute on function own2 from public",
        "create schema hidden; create function hidden.own2(o text) returns bool language sql stable leakproof return o = auth.user_id()",
    ] {
        run(
            client,
            &format!("drop schema if exists hidden cascade; {TABLE} {POLICY}; {harmless}"),
        );
        assert_eq!(found(client), [], "{harmless}");
    }
}
