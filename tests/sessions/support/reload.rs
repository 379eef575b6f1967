//! Servers that read their configuration again.

use postgres::Client;
use testkit::key_server::wait_until;
use testkit::server::Server;
use testkit::session::{one, run};

/// Reloads the server, and waits until these sessions have reloaded.
pub fn reload(server: &Server, sessions: &mut [&mut Client]) {
    let read = "select pg_conf_load_time()::text";
    let before: Vec<String> = sessions.iter_mut().map(|client| one(client, read)).collect();
    run(
        &mut server.connect("postgres", "postgres", ""),
        "select pg_reload_conf()",
    );
    for (client, before) in sessions.iter_mut().zip(before) {
        wait_until("the reload", || one::<String>(client, read) != before);
    }
}
