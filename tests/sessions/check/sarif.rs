//! auth.check_sarif(): the findings as a log in SARIF 2.1.0, with the members that the specification and code hosts require.

use serde_json::{Value, json};
use testkit::server::Server;
use testkit::session::{one, rejects, run};

use crate::check::support::Site;

/// The only run of a log, after its required members (SARIF 2.1.0, §3.13 and §3.14).
fn run_of(log: &Value) -> &Value {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("/sarif-schema-2.1.0.json"));
    let [run] = &log["runs"].as_array().unwrap()[..] else {
        panic!("{log}")
    };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "pg_session_jwt");
    assert_eq!(driver["semanticVersion"], env!("CARGO_PKG_VERSION"));
    assert!(driver["informationUri"].as_str().unwrap().starts_with("https://"));
    run
}

/// Asserts what each result must have: a message, the rule of its index, a level of §3.27.10, and a place in a file.
fn results(log: &Value) -> &Vec<Value> {
    let run = run_of(log);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(rules[index]["defaultConfiguration"]["level"], result["level"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let [location] = &result["locations"].as_array().unwrap()[..] else {
            panic!("{result}")
        };
        assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
        assert!(location["physicalLocation"]["artifactLocation"]["uri"].is_string());
    }
    results
}

fn log(site: &mut Site, arguments: &str) -> Value {
    one(&mut site.admin, &format!("select auth.check_sarif({arguments})"))
}

#[test]
fn a_deployment_without_findings_has_an_empty_log() {
    let mut site = Site::new();
    let log = log(&mut site, "");
    assert_eq!(results(&log), &Vec::<Value>::new());
    let rules = run_of(&log)["tool"]["driver"]["rules"].as_array().unwrap();
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
        let score: f64 = rule["properties"]["security-severity"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((0.0..=10.0).contains(&score));
    }
    assert!(ids.contains(&"table_without_rls"));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "a rule occurs twice");
}

const HOLES: &str = "create table \"Ö\" (); grant select on \"Ö\" to anonymous;
    create function f() returns int language sql security definer return 1;
    create policy p on todos for select to authenticated using (true);
    create table open (); grant select on open to anonymous;
    comment on table open is 'auth.check: allow table_without_rls because \"it\" is public'";

#[test]
fn each_severity_has_its_level() {
    let mut site = Site::new();
    run(&mut site.admin, HOLES);
    let log = log(&mut site, "");
    let shown: Vec<Value> = results(&log)
        .iter()
        .map(|result| {
            json!([
                result["level"],
                result["ruleId"],
                result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
                result["occurrenceCount"]
            ])
        })
        .collect();
    assert_eq!(
        shown,
        [
            json!(["error", "table_without_rls", "public.\"Ö\"", 1]),
            json!(["warning", "definer_function", "public.f()", 1]),
            json!(["note", "policy_read_open", "p ON public.todos", 1]),
        ]
    );
    let message = results(&log)[1]["message"]["text"].as_str().unwrap();
    assert!(
        message.starts_with("public.f(): authenticated, anonymous may run it as postgres")
            || message.starts_with("public.f(): anonymous, authenticated may run it as postgres"),
        "{message}"
    );
    assert!(
        message.contains("\n\nRemedy:\nREVOKE EXECUTE ON ROUTINE public.f()"),
        "{message}"
    );
}

#[test]
fn allowed_findings_are_left_out_or_suppressed() {
    let mut site = Site::new();
    run(&mut site.admin, HOLES);
    let log = log(&mut site, "with_allowed => true");
    let (suppressed, open): (Vec<&Value>, Vec<&Value>) = results(&log)
        .iter()
        .partition(|result| result.get("suppressions").is_some());
    assert_eq!((suppressed.len(), open.len()), (1, 3));
    let expected = json!([{"kind": "inSource", "status": "accepted", "justification": "\"it\" is public"}]);
    assert_eq!(suppressed[0]["suppressions"], expected);
    assert_eq!(suppressed[0]["level"], "error");
}

#[test]
fn results_of_one_rule_have_different_fingerprints_that_stay() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "create table a (); create table b (); grant select on a, b to anonymous",
    );
    let prints = |site: &mut Site| -> Vec<String> {
        let log = log(site, "");
        let print = |result: &Value| {
            result["partialFingerprints"]["primaryLocationLineHash"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        results(&log).iter().map(print).collect()
    };
    let before = prints(&mut site);
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
    run(&mut site.admin, "grant insert on b to anonymous; drop table a");
    assert_eq!(prints(&mut site), before[1..]);
}

#[test]
fn the_file_is_a_relative_uri() {
    let mut site = Site::new();
    run(&mut site.admin, "create table a (); grant select on a to anonymous");
    for (argument, uri) in [
        ("", "schema.sql"),
        ("'db/migrations/0001_init.sql'", "db/migrations/0001_init.sql"),
        ("'ä b?#%.sql'", "%C3%A4%20b%3F%23%25.sql"),
    ] {
        let log = log(&mut site, argument);
        assert_eq!(
            results(&log)[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            uri
        );
    }
}

#[test]
fn other_encodings_and_end_users() {
    let site = Site::new();
    site.cluster
        .run("create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'");
    site.cluster
        .run("create database bytes encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'");
    for (database, name, shown) in [("latin", "tür", "public.\"tür\""), ("bytes", "tür", "public.\"tür\"")] {
        let mut admin = site.cluster.superuser(database);
        run(
            &mut admin,
            &format!(
                "create extension pg_session_jwt; create table \"{name}\" (); grant select on \"{name}\" to anonymous"
            ),
        );
        let log: Value = one(&mut admin, "select auth.check_sarif()");
        assert_eq!(
            results(&log)[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            shown
        );
        run(&mut admin, "set role authenticated");
        let denied = "permission denied for function check_sarif";
        rejects(&mut admin, "select auth.check_sarif()", "42501", denied);
    }
}

/// Bytes that are no text in SQL_ASCII, which JSON cannot hold.
#[test]
fn names_without_an_encoding_are_shown_as_ascii() {
    let server = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.claims_fallback = off");
    let mut admin = server.connect("postgres", "postgres", "");
    run(
        &mut admin,
        "create database bytes encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C'",
    );
    let mut admin = server.connect("bytes", "postgres", "");
    run(
        &mut admin,
        r"create extension pg_session_jwt; do $$ begin execute E'create table \x22t\xfcr\x22 ()';
          execute E'grant select on \x22t\xfcr\x22 to anonymous'; end $$",
    );
    let log: Value = one(&mut admin, "select auth.check_sarif()");
    assert_eq!(
        results(&log)[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        "public.\"t?r\""
    );
}
