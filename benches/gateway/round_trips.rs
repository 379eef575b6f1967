//! K: round trips between the gateway and PostgreSQL, counted on the wire.
//!
//! A round trip begins when the client's side sends something after it has received something. What it writes at once with
//! other messages, such as COMMIT and DISCARD ALL, adds none, although PostgreSQL answers each.

use std::time::Duration;

use crate::contestants::{self, Contestant};
use crate::http::Http;
use crate::load::Client as _;
use crate::measure::{Plan, number, table};
use crate::relay::Relay;
use crate::setting::{Presented, Setting};
use crate::wire::{DISCARD_ALL, flight};

/// With new tokens each request is checked in full.
const PRESENTED: Presented = Presented::NewTokens;

pub fn measure(plan: &Plan, setting: &Setting) {
    let heading = "K. Round trips to PostgreSQL for each request, one client";
    plan.say(heading);
    let length = plan.choose(Duration::from_secs(2), Duration::from_millis(500));
    let relay = Relay::start(setting.server.port(), Duration::ZERO);
    let gateway = setting.gateway(relay.port);
    assert_same_messages(setting, &relay, gateway.port);
    let ways: [(&str, Box<dyn Contestant + '_>); 5] = [
        ("gateway, one statement", contestants::http(setting, gateway.port, 1)),
        (
            "gateway, a batch of 10 statements",
            contestants::http(setting, gateway.port, 10),
        ),
        (
            "its messages alone",
            contestants::gateways_messages(setting, relay.port),
        ),
        ("`pg` of node", contestants::node(setting, relay.port)),
        ("round trips", contestants::round_trips(setting, relay.port)),
    ];
    let mut shown = Vec::new();
    for (name, mut way) in ways {
        // Connects, the gateway more than once: the clean-up can still run when the next request comes.
        way.turn(1, PRESENTED, length);
        let before = relay.round_trips();
        let requests = way.turn(1, PRESENTED, length).requests;
        let trips = (relay.round_trips() - before) as f64;
        shown.push(vec![name.to_owned(), requests.to_string(), number(trips / requests)]);
    }
    table(heading, &["", "requests", "round trips for each"], &shown);
}

/// Fails if the pipelined control does not send what the gateway sends, but for the seed.
fn assert_same_messages(setting: &Setting, relay: &Relay, port: u16) {
    let mut http = Http::connect(port, &setting.database, 1);
    let token = setting.tokens.next(Presented::SameToken);
    // Connects. The clean-up after it must have ended, or the gateway would connect once more.
    http.request(token);
    std::thread::sleep(Duration::from_millis(200));
    let sent = relay.sent_during(|| http.request(token));
    let expected = flight(token, DISCARD_ALL);
    let [sent, expected] = [sent.as_slice(), &expected].map(|bytes| {
        let mut messages = messages(bytes);
        let seed = messages.remove(4);
        assert_eq!(seed.first(), Some(&b'B'));
        messages
    });
    assert_eq!(sent, expected, "wire.rs does not send the gateway's messages");
}

/// Cuts messages apart: a tag, a length that counts itself, and the content.
fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((length, _)) = bytes.get(1..).and_then(<[u8]>::split_first_chunk::<4>) {
        let (message, rest) = bytes.split_at(1 + u32::from_be_bytes(*length) as usize);
        messages.push(message);
        bytes = rest;
    }
    messages
}
