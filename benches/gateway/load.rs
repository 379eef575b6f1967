//! Clients that send one request after the other, each in a thread, for some time.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::setting::{Presented, Tokens};

pub trait Client: Send {
    /// One request with this token, up to its answer.
    fn request(&mut self, token: &str);

    /// What must end before the next request, and after the answer to this one.
    fn settle(&mut self) {}
}

/// What a turn has shown.
pub struct Figures {
    pub requests: f64,
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
}

/// Lets these clients send requests for so long.
pub fn run<C: Client>(clients: &mut [C], tokens: &Tokens, presented: Presented, length: Duration) -> Figures {
    let ready = Barrier::new(clients.len());
    let (mut latencies, mut took) = (Vec::new(), Duration::ZERO);
    std::thread::scope(|scope| {
        let threads = clients.iter_mut().map(|client| {
            let ready = &ready;
            scope.spawn(move || {
                ready.wait();
                requests(client, tokens, presented, length)
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            let (of_client, length) = thread.join().unwrap();
            latencies.extend(of_client);
            took = took.max(length);
        }
    });
    latencies.sort_unstable();
    let percentile = |share: usize| latencies[(latencies.len() - 1) * share / 100].as_secs_f64() * 1e3;
    Figures {
        requests: latencies.len() as f64,
        per_second: latencies.len() as f64 / took.as_secs_f64(),
        p50: percentile(50),
        p99: percentile(99),
    }
}

/// The latency of each request of one client, and the time of all.
fn requests(
    client: &mut impl Client,
    tokens: &Tokens,
    presented: Presented,
    length: Duration,
) -> (Vec<Duration>, Duration) {
    let begun = Instant::now();
    let mut latencies = Vec::with_capacity(10_000);
    loop {
        let token = tokens.next(presented);
        let sent = Instant::now();
        client.request(token);
        latencies.push(sent.elapsed());
        client.settle();
        let so_far = begun.elapsed();
        if so_far >= length {
            return (latencies, so_far);
        }
    }
}
