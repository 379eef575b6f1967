//! The background worker that fetches key sets: its process and its stored files.

use std::fs;
use std::path::PathBuf;

use postgres::Client;

use testkit::key_server::wait_until;
use testkit::server::Server;
use testkit::session::{rejects, run};

pub const NAME: &str = "pg_session_jwt key fetcher";

/// The process id of the worker, once it differs from `before`.
#[track_caller]
pub fn process_after(server: &Server, before: i32) -> i32 {
    let query = format!("select max(pid) from pg_stat_activity where backend_type = '{NAME}' and pid <> {before}");
    let mut found = None;
    wait_until("the worker", || {
        // The server may be starting again.
        let Ok(mut client) = server.try_connect("postgres", "postgres", "") else {
            return false;
        };
        found = client.query_one(&query, &[]).ok().and_then(|row| row.get(0));
        found.is_some()
    });
    found.unwrap()
}

pub fn process(server: &Server) -> i32 {
    process_after(server, 0)
}

/// Runs this as superuser and reloads all processes of the server.
pub fn reload_after(admin: &mut Client, sql: &str) {
    run(admin, sql);
    run(admin, "select pg_reload_conf()");
}

/// The stored files of key sets, each with the URL on its first line.
pub fn stored(server: &Server) -> Vec<(PathBuf, String)> {
    let Ok(directory) = fs::read_dir(server.directory().join("data/pg_session_jwt")) else {
        return Vec::new();
    };
    directory
        .filter_map(|file| {
            let path = file.unwrap().path();
            if path.ends_with("unfinished") {
                return None;
            }
            // A file that was just deleted or renamed is skipped.
            let text = String::from_utf8_lossy(&fs::read(&path).ok()?).into_owned();
            let url = text.lines().next().unwrap_or_default().to_owned();
            Some((path, url))
        })
        .collect()
}

/// Their URLs, in order.
pub fn stored_urls(server: &Server) -> Vec<String> {
    let mut urls: Vec<String> = stored(server).into_iter().map(|(_, url)| url).collect();
    urls.sort();
    urls
}

/// Asserts that a token is rejected with this error.
#[track_caller]
pub fn rejects_init(client: &mut Client, token: &str, sqlstate: &str, message: &str) {
    let present = format!("select auth.jwt_session_init('{token}')");
    rejects(client, &present, sqlstate, message);
}
