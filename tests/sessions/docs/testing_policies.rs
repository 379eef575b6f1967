//! docs/testing-policies.md: its functions work, its suite passes, and each broken policy fails the tests that the page
//! names.

use std::fs;

use testkit::guide::{Block, blocks_of, expected, page};
use testkit::loading::PRELOADED;
use testkit::messages;
use testkit::server::{SHARED, Server, program, unprivileged_user};
use testkit::session::{one, rejects, run};

/// pgcrypto's `hmac` (RFC 2104) and `gen_random_bytes` with SHA-256 only, for a PostgreSQL that was built without
/// pgcrypto.
pub(super) const IN_PLACE_OF_PGCRYPTO: &str = r#"
    create function gen_random_bytes(length integer) returns bytea language sql as
        $$ select substring(sha256(uuid_send(gen_random_uuid())) for length) $$;
    create function hmac(data bytea, key bytea, type text) returns bytea language plpgsql as $$
    declare
        inner_key bytea := decode(repeat('36', 64), 'hex');
        outer_key bytea := decode(repeat('5c', 64), 'hex');
    begin
        assert type = 'sha256' and length(key) <= 64;
        for place in 0 .. length(key) - 1 loop
            inner_key := set_byte(inner_key, place, get_byte(inner_key, place) # get_byte(key, place));
            outer_key := set_byte(outer_key, place, get_byte(outer_key, place) # get_byte(key, place));
        end loop;
        return sha256(outer_key || sha256(inner_key || data));
    end $$;"#;

/// The blocks that create the functions for tests.
pub(super) fn functions() -> Vec<Block> {
    let is_function = |block: &Block| block.fence == "sql" && block.text.contains("CREATE FUNCTION testing.");
    page("testing-policies").into_iter().filter(is_function).collect()
}

/// The output of psql for a file.
pub(super) fn psql(server: &Server, database: &str, sql: &str) -> String {
    let file = server.directory().join(format!("{database}.sql"));
    fs::write(&file, sql).unwrap();
    let mut psql = program("psql", unprivileged_user());
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"]);
    let output = psql.args(["-p", &server.port().to_string(), "-d", database, "-f"]);
    let output = output.arg(&file).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{sql}\n{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The plan and results of a suite, without the diagnostics of failures.
pub(super) fn results(tap: &str) -> Vec<&str> {
    let is_result = |line: &&str| ["ok ", "not ok ", "1.."].iter().any(|begin| line.starts_with(begin));
    tap.lines().filter(is_result).collect()
}

/// The page's initial database: the table of the README, and pgcrypto or its substitute.
fn database(server: &Server) -> String {
    let database = server.database();
    let is_table = |block: &&Block| block.fence == "sql" && block.text.starts_with("CREATE TABLE todos");
    let readme = blocks_of("README.md");
    let table = &readme.iter().find(is_table).unwrap().text;
    let mut client = server.connect(&database, "postgres", "");
    run(&mut client, table);
    if !has(&mut client, "pgcrypto") {
        run(&mut client, IN_PLACE_OF_PGCRYPTO);
    }
    assert!(
        has(&mut client, "pgtap"),
        "scripts/setup.sh --with-tests puts pgTAP here"
    );
    database
}

pub(super) fn has(client: &mut postgres::Client, extension: &str) -> bool {
    let available = format!("select exists (select from pg_available_extensions where name = '{extension}')");
    one(client, &available)
}

/// Runs the blocks of the page in order, and each broken policy in a copy of the database.
fn run_page(server: &Server) {
    let page = page("testing-policies");
    let of = |fence: &str| &page.iter().find(|block| block.fence == fence).unwrap().text;
    let (suite, tap) = (of("sql test"), of("tap"));
    let good = results(tap);
    assert_eq!(good[0], format!("1..{}", good.len() - 1));
    let main = database(server);
    let has_pgcrypto = has(&mut server.connect(&main, "postgres", ""), "pgcrypto");
    let mut broken = 0;
    for block in &page {
        match block.fence.strip_prefix("sql") {
            Some("") => {
                let sql = match has_pgcrypto {
                    true => block.text.clone(),
                    false => block.text.replace("CREATE EXTENSION IF NOT EXISTS pgcrypto;", ""),
                };
                let printed = psql(server, &main, &sql);
                for line in expected(block) {
                    assert!(
                        printed.lines().any(|shown| shown == line),
                        "{line} is not in:\n{printed}"
                    );
                }
            }
            Some(" test") => {
                // Twice: the suite leaves nothing behind.
                for _ in 0..2 {
                    assert_eq!(results(&psql(server, &main, suite)), good);
                }
            }
            Some(fence) => {
                let numbers: Vec<usize> = fence
                    .strip_prefix(" broken ")
                    .unwrap()
                    .split(' ')
                    .map(|number| number.parse().unwrap())
                    .collect();
                let copy = server.database_with(&format!("template {main}"));
                psql(server, &copy, &block.text);
                let mut bad: Vec<String> = good.iter().map(|line| (*line).to_owned()).collect();
                for number in numbers {
                    bad[number].insert_str(0, "not ");
                }
                assert_eq!(results(&psql(server, &copy, suite)), bad, "{}", block.text);
                broken += 1;
            }
            None => {}
        }
    }
    assert!(broken > 0, "the page has no broken policy");
}

#[test]
fn broken_policies_fail_the_tests_of_the_page() {
    run_page(&SHARED);
}

#[test]
fn broken_policies_fail_with_a_preloaded_library() {
    run_page(&PRELOADED);
}

#[test]
fn test_key_ends_with_its_transaction() {
    let main = database(&SHARED);
    for block in functions() {
        psql(&SHARED, &main, &block.text);
    }
    let mut client = SHARED.connect(&main, "postgres", "");
    if has(&mut client, "pgcrypto") {
        run(&mut client, "create extension pgcrypto");
    }
    let mode = "select mode from auth.status()";
    for end in ["rollback", "commit"] {
        run(&mut client, "begin; select testing.new_provider()");
        let token: String = one(&mut client, r#"select testing.token('{"sub":"alice"}')"#);
        run(&mut client, r#"select testing.become('{"sub":"alice"}')"#);
        assert_eq!(one::<String>(&mut client, mode), "provider");
        run(&mut client, end);
        assert_eq!(one::<String>(&mut client, mode), "unusable", "{end}");
        let claimed = r#"set local request.jwt.claims = '{"sub":"alice"}'; select auth.user_id()"#;
        rejects(
            &mut client,
            &format!("begin; {claimed}"),
            "55000",
            messages::LOST_PROVIDERS,
        );
        run(&mut client, "rollback");
        let secret: String = one(&mut client, "select current_setting('testing.secret')");
        assert_eq!(secret, "", "{end}");
        // Another test has another key.
        run(
            &mut client,
            "begin; select testing.new_provider(); set local role authenticated",
        );
        let present = format!("select auth.jwt_session_init('{token}')");
        rejects(&mut client, &present, "28000", messages::INVALID_SIGNATURE);
        run(&mut client, "rollback");
    }
}
