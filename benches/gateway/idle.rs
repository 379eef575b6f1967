//! L: the gateway's memory for clients that keep their connection and send nothing.

use crate::http::Http;
use crate::load::Client as _;
use crate::measure::{Plan, number, table};
use crate::setting::{Presented, Setting};

const CLIENTS: usize = 1000;

pub fn measure(plan: &Plan, setting: &Setting) {
    let heading = "L. Resident memory of the gateway, MB";
    plan.say(heading);
    let gateway = setting.gateway(setting.server.port());
    let mut shown = vec![vec!["after its start".to_owned(), number(gateway.resident())]];
    let mut clients = Vec::new();
    for (count, label) in [
        (1, "1 idle client, after its request"),
        (CLIENTS, "1,000 idle clients, after a request each"),
    ] {
        while clients.len() < count {
            let mut client = Http::connect(gateway.port, &setting.database, 1);
            client.request(setting.tokens.next(Presented::NewTokens));
            clients.push(client);
        }
        shown.push(vec![label.to_owned(), number(gateway.resident())]);
    }
    table(heading, &["", "MB"], &shown);
}
