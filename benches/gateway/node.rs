//! The process of benches/gateway/node.mjs, which has node's `pg`. It runs until this is dropped, so that its code is
//! compiled when it is measured.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::contestants::Contestant;
use crate::load::Figures;
use crate::setting::{CONNECTIONS, LOGIN, Presented, ROLE, ROW, STATEMENT};

pub struct Node {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// A pool of connections to PostgreSQL at this port.
    pub fn start(port: u16, database: &str, tokens: &Path) -> Node {
        let directory = std::env::var("BENCH_NODE").expect("BENCH_NODE: a directory with node.mjs and node's pg");
        let mut child = Command::new("node")
            .arg(PathBuf::from(directory).join("node.mjs"))
            .arg(tokens)
            .args([CONNECTIONS.to_string().as_str(), ROLE, STATEMENT, ROW])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", port.to_string())
            .env("PGUSER", LOGIN)
            .env("PGDATABASE", database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Node {
            orders: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }
}

impl Contestant for Node {
    fn turn(&mut self, clients: usize, presented: Presented, length: Duration) -> Figures {
        let is_new = presented == Presented::NewTokens;
        writeln!(self.orders, "{clients} {} {is_new}", length.as_secs_f64()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let numbers: Vec<f64> = answer.split_whitespace().map(|text| text.parse().unwrap()).collect();
        let [requests, seconds, p50, p99] = numbers[..] else {
            panic!("node.mjs answers {answer:?}");
        };
        Figures {
            requests,
            per_second: requests / seconds,
            p50,
            p99,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
