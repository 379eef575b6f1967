//! What is compared: each sends the same requests, in turns.

use std::time::Duration;

use crate::http::Http;
use crate::load::{self, Client, Figures};
use crate::node::Node;
use crate::setting::{CONNECTIONS, LOGIN, Presented, Setting};
use crate::wire::{DISCARD_ALL, Pipelined, RoundTrips};

pub trait Contestant {
    /// Lets so many clients send requests for so long.
    fn turn(&mut self, clients: usize, presented: Presented, length: Duration) -> Figures;
}

/// Clients that stay connected.
struct Clients<'a, C> {
    setting: &'a Setting,
    connect: Box<dyn Fn() -> C + 'a>,
    connected: Vec<C>,
    most: usize,
}

impl<C: Client> Contestant for Clients<'_, C> {
    fn turn(&mut self, clients: usize, presented: Presented, length: Duration) -> Figures {
        let count = clients.min(self.most);
        while self.connected.len() < count {
            self.connected.push((self.connect)());
        }
        load::run(&mut self.connected[..count], &self.setting.tokens, presented, length)
    }
}

fn clients<'a, C: Client + 'a>(
    setting: &'a Setting,
    most: usize,
    connect: impl Fn() -> C + 'a,
) -> Box<dyn Contestant + 'a> {
    Box::new(Clients {
        setting,
        connect: Box::new(connect),
        connected: Vec::new(),
        most,
    })
}

/// Clients of the gateway at this port, whose requests have so many statements.
pub fn http(setting: &Setting, port: u16, statements: usize) -> Box<dyn Contestant + '_> {
    let connect = move || Http::connect(port, &setting.database, statements);
    clients(setting, usize::MAX, connect)
}

/// The gateway's messages, straight to PostgreSQL. It has no more clients than the gateway has connections.
pub fn pipelined<'a>(setting: &'a Setting, port: u16, clean_up: &'static str) -> Box<dyn Contestant + 'a> {
    let connect = move || Pipelined::connect(port, LOGIN, &setting.database, clean_up);
    clients(setting, CONNECTIONS, connect)
}

pub fn gateways_messages(setting: &Setting, port: u16) -> Box<dyn Contestant + '_> {
    pipelined(setting, port, DISCARD_ALL)
}

/// A round trip for each statement, straight to PostgreSQL, with no more clients than the gateway has connections.
pub fn round_trips(setting: &Setting, port: u16) -> Box<dyn Contestant + '_> {
    let connect = move || RoundTrips::connect(port, LOGIN, &setting.database);
    clients(setting, CONNECTIONS, connect)
}

/// The same through PgBouncer, which has as many connections as the gateway, for any number of clients.
pub fn pgbouncer(setting: &Setting, port: u16) -> Box<dyn Contestant + '_> {
    let connect = move || RoundTrips::connect(port, "app", &setting.database);
    clients(setting, usize::MAX, connect)
}

/// Node's `pg`, whose pool has as many connections as the gateway, for any number of clients.
pub fn node(setting: &Setting, port: u16) -> Box<dyn Contestant> {
    Box::new(Node::start(port, &setting.database, &setting.tokens.file))
}
