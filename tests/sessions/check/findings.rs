//! auth.check(): no finding for a deployment that follows the README; the roles that may call it, and where it works.

use std::fs;

use testkit::provider::Provider;
use testkit::server::Server;
use testkit::session::{Proxy, one, rejects, rows, run};

use crate::check::support::{Site, column, conf_with_proxy, file, found, owned, page_block, turn};

#[allow(dead_code, reason = "no finding has the severity of an exception")]
#[path = "../../../src/check/finding.rs"]
mod finding;
#[path = "../../../src/check/version.rs"]
mod version;

#[test]
fn a_deployment_that_follows_the_readme_has_no_findings() {
    let mut site = Site::new();
    assert_eq!(found(&mut site.admin), []);
    // With a proxy's key in the startup packet.
    let proxied = Server::start(&conf_with_proxy());
    assert_eq!(found(&mut Proxy::new().session_on(&proxied, "template1")), []);
    assert_eq!(found(&mut proxied.connect("template1", "postgres", "")), []);
    // An application's login role, as in "Who may impersonate whom".
    run(
        &mut site.admin,
        "create role app login noinherit; grant authenticated, anonymous to app",
    );
    assert_eq!(found(&mut site.admin), owned(&[("login_shared", "app")]));
    let remedy = column(&mut site.admin, "remedy", "login_shared");
    run(&mut site.admin, &remedy);
    assert_eq!(found(&mut site.admin), []);
    // With a provider, as in docs/settings.md.
    let path = site.cluster.directory().join("readme-keys.json");
    fs::write(&path, Provider::new("https://example.com/").key_set()).unwrap();
    let provider = page_block("docs/settings.md", "sql", "ALTER DATABASE")
        .replace(":\"DBNAME\"", "site")
        .replace("/etc/postgresql/example-keys.json", &path.display().to_string());
    run(&mut site.admin, &provider);
    let mut admin = site.cluster.superuser("site");
    assert_eq!(one::<String>(&mut admin, "select mode from auth.status()"), "provider");
    assert_eq!(found(&mut admin), []);
}

#[test]
fn a_database_whose_owner_is_no_superuser_has_no_findings() {
    let cluster = turn();
    let mut owner = cluster.owner("site");
    run(&mut owner, &page_block("README.md", "sql setup", "CREATE EXTENSION"));
    run(&mut owner, &page_block("README.md", "sql", "CREATE TABLE todos"));
    assert_eq!(found(&mut owner), []);
    assert_eq!(found(&mut cluster.superuser("site")), []);
}

#[test]
fn findings_have_one_order_the_worst_first() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table \"B\" (); create table a (); grant select on \"B\", a to anonymous;
         create policy open on todos for select to authenticated using (true);
         create function f() returns int language sql security definer return 1;",
    );
    let ask = "select severity, finding, object from auth.check()";
    let expected = [
        ["critical", "table_without_rls", "public.\"B\""],
        ["critical", "table_without_rls", "public.a"],
        ["warning", "definer_function", "public.f()"],
        ["notice", "policy_read_open", "open ON public.todos"],
    ];
    for path in ["public", "pg_temp, public, pg_catalog", ""] {
        run(
            &mut site.admin,
            &format!("set search_path = {}", if path.is_empty() { "''" } else { path }),
        );
        let all: Vec<Vec<String>> = rows(&mut site.admin, ask)
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap).collect())
            .collect();
        assert_eq!(all, expected, "{path}");
    }
}

#[test]
fn look_alikes_in_the_search_path_hide_no_findings() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table open (); grant select on open to anonymous;
         create function public.has_table_privilege(oid, oid, text) returns bool language sql return false;
         create function public.never(oid, oid) returns bool language sql return false;
         create operator public.= (leftarg = oid, rightarg = oid, function = public.never);
         create view public.pg_class as select * from pg_catalog.pg_class where false;
         set search_path = public, pg_catalog;
         create temp view pg_policy as select * from pg_catalog.pg_policy where false",
    );
    assert_eq!(found(&mut site.admin), owned(&[("table_without_rls", "public.open")]));
}

#[test]
fn administrators_may_call_it_and_end_users_may_not() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create role auditor login in role pg_read_all_settings; create role owner login; create role app login;
         grant authenticated to app; alter database site owner to owner",
    );
    for who in ["auditor", "owner"] {
        assert_eq!(found(&mut site.cluster.connect("site", who, "")), [], "{who}");
    }
    let denied = "permission denied for function check";
    let mut app = site.cluster.connect("site", "app", "");
    rejects(&mut app, "select * from auth.check()", "42501", denied);
    for role in ["authenticated", "anonymous"] {
        run(&mut site.admin, &format!("set role {role}"));
        rejects(&mut site.admin, "select * from auth.check()", "42501", denied);
        run(&mut site.admin, "reset role");
    }
}

#[test]
fn data_that_the_caller_may_not_see_is_reported() {
    let mut site = Site::new();
    let entry = Provider::new("a").entry("");
    run(
        &mut site.admin,
        &format!(
            "create role owner login; alter database site owner to owner;
             alter database site set pg_session_jwt.providers = '[{entry}]'"
        ),
    );
    let mut owner = site.cluster.connect("site", "owner", "");
    assert_eq!(found(&mut owner), owned(&[("not_checked", "pg_session_jwt.providers")]));
    let mut admin = site.cluster.superuser("site");
    let without_audience = [("provider_without_audience", "pg_session_jwt.providers [1]")];
    assert_eq!(found(&mut admin), owned(&without_audience));
    // A catalog that the caller may not read is an error.
    run(&mut admin, "revoke select on pg_catalog.pg_roles from public");
    let denied = "permission denied for view pg_roles";
    rejects(&mut owner, "select * from auth.check()", "42501", denied);
}

#[test]
fn it_runs_in_a_read_only_transaction() {
    let mut site = Site::new();
    run(&mut site.admin, "begin transaction read only");
    assert_eq!(found(&mut site.admin), []);
    let wrote = "select pg_current_xact_id_if_assigned() is not null";
    assert!(!one::<bool>(&mut site.admin, wrote));
    run(&mut site.admin, "commit");
}

#[test]
fn it_works_on_a_standby() {
    let mut server = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.claims_fallback = off");
    let mut admin = server.connect("template1", "postgres", "");
    run(&mut admin, "create table open (); grant select on open to anonymous");
    drop(admin);
    fs::write(server.directory().join("data/standby.signal"), "").unwrap();
    server.restart();
    let mut admin = server.connect("template1", "postgres", "");
    assert!(one::<bool>(&mut admin, "select pg_is_in_recovery()"));
    assert_eq!(found(&mut admin), owned(&[("table_without_rls", "public.open")]));
}

#[test]
fn names_in_another_encoding_are_shown_correctly() {
    let site = Site::new();
    site.cluster
        .run("create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'");
    let mut admin = site.cluster.superuser("latin");
    run(
        &mut admin,
        "create extension pg_session_jwt; create table \"tür\" (); grant select on \"tür\" to anonymous",
    );
    assert_eq!(found(&mut admin), owned(&[("table_without_rls", "public.\"tür\"")]));
}

#[test]
fn thousands_of_tables_are_inspected() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "do $$ begin for i in 1..2000 loop
             execute format('create table t%s (user_id text, task text)', i);
             execute format('create index on t%s (user_id)', i);
             execute format('alter table t%s enable row level security', i);
             execute format('create policy p on t%s to authenticated using ((select auth.user_id() = user_id))', i);
             execute format('grant select, insert, update, delete on t%s to authenticated', i);
         end loop; end $$;
         create policy q on t1234 to authenticated using (auth.user_id() is null)",
    );
    let expected = [("policy_open_without_identity", "q ON public.t1234")];
    let started = std::time::Instant::now();
    assert_eq!(found(&mut site.admin), owned(&expected));
    println!("2000 tables: {:?}", started.elapsed());
}

#[test]
fn docs_list_every_finding() {
    let document = file("docs/check.md");
    let shown: Vec<(String, String)> = document
        .lines()
        .filter(|line| line.split('|').count() == 6)
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let finding = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((finding.to_owned(), cells.next()?.to_owned()))
        })
        .collect();
    let known: Vec<(String, String)> = finding::Finding::ALL
        .iter()
        .map(|finding| (finding.name().to_owned(), finding.severity().name().to_owned()))
        .collect();
    assert_eq!(shown, known);
}

#[test]
fn rules_of_other_checkers_name_findings() {
    let document = file("docs/check.md");
    let (_, section) = document.split_once("\n## Rules of other checkers\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1));
    let named: Vec<&str> = rows
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| !name.contains("()") && *name != "warning")
        .collect();
    assert_eq!(named.len(), 26, "{named:?}");
    for name in named {
        assert!(
            finding::Finding::ALL.iter().any(|finding| finding.name() == name),
            "{name}"
        );
    }
}

#[test]
fn old_minor_versions_of_postgresql_are_found() {
    use version::oldest_fixed;
    for (running, needed) in [
        (140_020, Some(150_018)),
        (150_017, Some(150_018)),
        (160_001, Some(160_014)),
        (170_009, Some(170_010)),
        (180_000, Some(180_004)),
        (190_000, None),
    ] {
        assert_eq!(oldest_fixed(running), needed, "{running}");
    }
    let mut site = Site::new();
    let running: String = one(&mut site.admin, "show server_version_num");
    let running: i32 = running.parse().unwrap();
    let is_old = oldest_fixed(running).is_some_and(|needed| running < needed);
    let says: bool = one(
        &mut site.admin,
        "select exists (select from auth.check() where finding = 'postgres_outdated')",
    );
    assert_eq!(says, is_old);
}
