//! The blocks of the README run, and print the results that they show.

use testkit::guide::{Block, PsqlSession, blocks_of, dev_tokens};
use testkit::server::Server;
use testkit::session::one;

#[test]
fn blocks_print_what_the_readme_shows() {
    let readme = blocks_of("README.md");
    let conf = readme.iter().find(|block| block.fence == "conf").unwrap();
    let server = Server::start_empty(&conf.text);
    let mut admin = server.connect("postgres", "postgres", "");
    admin.batch_execute("create database readme").unwrap();
    let script = readme.iter().find(|block| block.text.contains("dev-tokens")).unwrap();
    let session = PsqlSession {
        server: &server,
        port: server.port(),
        user: "postgres",
        database: "readme",
        options: "",
        variables: dev_tokens(&script.text, server.directory()),
    };
    // The example is at the top of the page, and the quick start below says to run it afterwards.
    let is_sql = |block: &&Block| block.fence.starts_with("sql");
    let (setup, example): (Vec<&Block>, Vec<&Block>) = readme
        .iter()
        .filter(is_sql)
        .partition(|block| block.fence == "sql setup");
    assert!(!setup.is_empty() && !example.is_empty());
    for block in setup.into_iter().chain(example) {
        session.runs(block);
    }
    // docs/check.md: a deployment that follows the README has no findings.
    let mut session = server.connect("readme", "postgres", "");
    let found = "select coalesce(string_agg(finding || ': ' || object, ', '), '') from auth.check()";
    assert_eq!(one::<String>(&mut session, found), "");
}
