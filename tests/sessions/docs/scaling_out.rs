//! docs/scaling-out.md, as far as one server can run it. Both databases of its partitions are on that server. Of Citus it has
//! the policy, the function that forwards the token, and the transaction.

use std::collections::HashMap;

use testkit::guide::{Block, PsqlSession, page};
use testkit::provider::Provider;
use testkit::server::{Server, pg_config};
use testkit::session::{rows, run};

struct Site {
    server: Server,
    provider: Provider,
    database: String,
    blocks: Vec<Block>,
}

impl Site {
    fn new() -> Site {
        let provider = Provider::new("https://id.example/");
        let server = Server::start(&format!(
            "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '[{}]'",
            provider.entry("")
        ));
        let database = server.database();
        let mut admin = server.connect(&database, "postgres", "");
        run(
            &mut admin,
            "create role app login noinherit; grant authenticated to app",
        );
        let blocks = page("scaling-out");
        Site {
            server,
            provider,
            database,
            blocks,
        }
    }

    /// Runs the blocks with that fence, and returns their output.
    fn runs(&self, fence: &str, user: &str, database: &str) -> String {
        let mut blocks = self.blocks.iter().filter(|block| block.fence == fence).peekable();
        assert!(blocks.peek().is_some(), "{fence}");
        let session = PsqlSession {
            server: &self.server,
            port: self.server.port(),
            user,
            database,
            options: "",
            variables: HashMap::from([
                ("alice", self.provider.token("alice")),
                ("port", self.server.port().to_string()),
                ("shard", format!("{}_shard", self.database)),
            ]),
        };
        blocks.map(|block| session.runs(block)).collect()
    }
}

#[test]
fn partitions_on_another_server() {
    // Some builds of PostgreSQL have no modules.
    if !pg_config("--pkglibdir").join("postgres_fdw.so").exists() {
        return;
    }
    let site = Site::new();
    let shard = format!("{}_shard", site.database);
    let mut admin = site.server.connect(&site.database, "postgres", "");
    run(&mut admin, &format!("create database {shard}"));
    site.runs("sql remote", "postgres", &shard);
    site.runs("sql local", "postgres", &site.database);
    let printed = site.runs("sql user", "app", &site.database);
    let text = std::fs::read_to_string(testkit::root().join("docs/scaling-out.md")).unwrap();
    let (plan, _) = text.split_once("The plan has `").unwrap().1.split_once('`').unwrap();
    assert!(printed.contains(plan), "{printed}");
    assert!(
        !printed.contains("feed the cat") && !printed.contains("read a book"),
        "{printed}"
    );

    let mut client = site.server.connect(&site.database, "app", "");
    let token = site.provider.token("alice");
    run(
        &mut client,
        &format!("begin; set local role authenticated; select auth.jwt_session_init('{token}', true)"),
    );
    let all = rows(&mut client, "select user_id, task from todos");
    assert_eq!(all, [["alice", "water the plants"].map(|text| Some(text.to_owned()))]);
    let options = "select count(*) from pg_user_mappings where umoptions is not null";
    assert_eq!(rows(&mut client, options), [[Some("0".to_owned())]]);
    let foreign = client.batch_execute("select from todos_of_a").unwrap_err();
    assert_eq!(foreign.as_db_error().unwrap().code().code(), "42501");
}

#[test]
fn citus_on_one_node() {
    let site = Site::new();
    let mut admin = site.server.connect(&site.database, "postgres", "");
    run(
        &mut admin,
        "create table todos (user_id text not null default auth.user_id(), task text not null);
         alter table todos enable row level security;
         grant select, insert on todos to authenticated;
         insert into todos values ('alice', 'water the plants'), ('bob', 'read a book')",
    );
    let set_up = site.blocks.iter().find(|block| block.fence == "sql citus").unwrap();
    for line in set_up.text.lines().filter(|line| line.starts_with("ALTER ROLE")) {
        run(&mut admin, line);
    }
    site.runs("sql policy", "postgres", &site.database);
    for _ in 0..2 {
        let printed = site.runs("sql transaction", "app", &site.database);
        assert!(!printed.contains("read a book"), "{printed}");
    }
    // The setting of the function is not the end user's, and an identity that she plants in the session does not count.
    let token = site.provider.token("alice");
    let mut client = site.server.connect(&site.database, "app", "");
    run(
        &mut client,
        "set citus.propagate_set_commands = 'none'; set role authenticated",
    );
    let inside = format!(
        "begin; select login('{token}'); select current_setting('citus.propagate_set_commands'), auth.user_id()"
    );
    assert_eq!(
        rows(&mut client, &inside),
        [["none", "alice"].map(|text| Some(text.to_owned()))]
    );
    run(&mut client, "commit");
    assert_eq!(rows(&mut client, "select auth.user_id()"), [[None]]);
    let planted = client.batch_execute(&format!("select auth.jwt_session_init('{token}')"));
    assert!(planted.is_err());
    assert_eq!(
        rows(&mut client, "select count(*) from todos"),
        [[Some("0".to_owned())]]
    );
}
