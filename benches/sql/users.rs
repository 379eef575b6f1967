//! O: the tokens of many users on many connections, with the shared cache of verified tokens and without it.
//!
//! A transaction is one message, so that the client takes little of the machine: begin, role, token, one row by its key,
//! commit. Each token is new in each turn, and is used some times on random connections.

use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use postgres::{Client, SimpleQueryMessage};
use testkit::issuer::{fresh, providers};
use testkit::server::Server;

use crate::curves::write;
use crate::databases::{CONF, PROVIDER_MODE, SERVER, make_objects, set_providers};
use crate::measure::{Plan, Processor, median, number, seconds, table};
use crate::plot::Curves;
use crate::policies::{MINE, ROWS};

const CLAIMS_BYTES: usize = 400;
const CONNECTIONS: [usize; 4] = [2, 8, 32, 64];
const READS: u64 = 10;

/// The same server and tables, without the cache.
static WITHOUT_CACHE: LazyLock<(Server, String)> = LazyLock::new(|| {
    let conf = format!("{CONF}shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.shared_cache = 0");
    let server = Server::start(&conf);
    let database = server.database();
    make_objects(&mut server.connect(&database, "postgres", ""));
    set_providers(&server, &database, &providers());
    (server, database)
});

/// What the transactions of a turn present.
struct Kind {
    label: &'static str,
    has_identity: bool,
    is_cached: bool,
    tokens: usize,
    /// How often each token is used.
    uses: usize,
    /// Whether another session reads `auth.activity()` and `auth.stats()` meanwhile, [`READS`] times a second.
    is_observed: bool,
}

const fn kind(label: &'static str, is_cached: bool, tokens: usize, uses: usize) -> Kind {
    Kind {
        label,
        has_identity: true,
        is_cached,
        tokens,
        uses,
        is_observed: false,
    }
}

const KINDS: [Kind; 10] = [
    Kind {
        has_identity: false,
        ..kind("no identity", true, 250, 20)
    },
    kind("1 token", true, 1, 5000),
    Kind {
        is_observed: true,
        ..kind("1 token, and an observer", true, 1, 5000)
    },
    kind("30 tokens, 167 times each", true, 30, 167),
    kind("1,000 tokens, 20 times each", true, 1000, 20),
    kind("1,000 tokens, 20 times each, no cache", false, 1000, 20),
    kind("1,000 tokens, 5 times each", true, 1000, 5),
    kind("1,000 tokens, 5 times each, no cache", false, 1000, 5),
    kind("1,000 tokens, once each", true, 1000, 1),
    kind("1,000 tokens, once each, no cache", false, 1000, 1),
];

/// Sessions of one server, and their processes.
struct Sessions {
    all: Vec<(Client, Processor)>,
    observer: Client,
}

impl Sessions {
    fn new(server: &Server, database: &str, count: usize) -> Sessions {
        let session = || {
            let mut client = server.connect(database, "postgres", "");
            let processor = Processor::of(&mut client);
            (client, processor)
        };
        Sessions {
            all: (0..count).map(|_| session()).collect(),
            observer: server.connect(database, "postgres", ""),
        }
    }

    fn processor_seconds(&self) -> f64 {
        self.all
            .iter()
            .map(|(_, processor)| processor.so_far().unwrap_or(f64::NAN) / 1e9)
            .sum()
    }

    /// Transactions per second, and processor seconds of the server for each.
    fn turn(&mut self, kind: &Kind, random: &mut Random) -> (f64, f64) {
        let tokens: Vec<String> = (0..kind.tokens).map(|_| fresh("ES256", CLAIMS_BYTES)).collect();
        let mut uses: Vec<usize> = (0..kind.tokens * kind.uses).map(|use_| use_ % kind.tokens).collect();
        random.shuffle(&mut uses);
        let count = uses.len() as f64;
        let each: Vec<&[usize]> = uses.chunks(uses.len().div_ceil(self.all.len())).collect();
        let before = self.processor_seconds();
        let took = seconds(|| {
            std::thread::scope(|scope| {
                let observer = &mut self.observer;
                let (end, ended) = std::sync::mpsc::channel::<()>();
                scope.spawn(move || while_running(&ended, || observe(observer), kind.is_observed));
                let work = |client: &mut Client, uses: &[usize]| {
                    uses.iter().for_each(|index| transaction(client, kind, &tokens[*index]));
                };
                let threads: Vec<_> = (self.all.iter_mut().zip(each))
                    .map(|((client, _), uses)| scope.spawn(move || work(client, uses)))
                    .collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                drop(end);
            });
        });
        (count / took, (self.processor_seconds() - before) / count)
    }
}

/// Does something several times a second until the other end of the channel is dropped.
fn while_running(ended: &Receiver<()>, mut work: impl FnMut(), is_wanted: bool) {
    while is_wanted && ended.recv_timeout(Duration::from_millis(1000 / READS)) == Err(RecvTimeoutError::Timeout) {
        work();
    }
}

fn observe(client: &mut Client) {
    let sql = "select count(*) from auth.activity(); select count(*) from auth.stats()";
    assert_eq!(client.simple_query(sql).unwrap().len(), 6);
}

fn transaction(client: &mut Client, kind: &Kind, token: &str) {
    let (role, present) = match kind.has_identity {
        true => ("bare", format!("select auth.jwt_session_init('{token}', true)")),
        false => ("constant", format!("select octet_length('{token}')")),
    };
    let mine = ROWS / MINE;
    let message =
        format!("begin; set local role {role}; {present}; select count(*) from items where id = {mine}; commit");
    let answers = client.simple_query(&message).unwrap();
    let rows = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    assert_eq!(rows.last(), Some("1"));
}

/// Knuth's generator of 64 bits (MMIX), the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn shuffle(&mut self, values: &mut [usize]) {
        for index in (1..values.len()).rev() {
            values.swap(index, self.below(index + 1));
        }
    }
}

pub fn measure(plan: &Plan) {
    let names: Vec<String> = KINDS.iter().map(|kind| kind.label.to_owned()).collect();
    let mut curves = Curves::new(
        "Transactions with tokens of many users",
        "connections",
        "per second",
        &names,
    );
    for count in CONNECTIONS {
        curves.add(count as f64, on(plan, count));
    }
    write(plan, "users", curves);
}

/// Measures this number of connections. Returns the transactions per second of each kind.
fn on(plan: &Plan, count: usize) -> Vec<f64> {
    let heading =
        format!("O. Transactions: begin, role, an ES256 token, one row by its key, commit; {count} connections");
    let mut cached = Sessions::new(&SERVER, &PROVIDER_MODE, count);
    let mut uncached = Sessions::new(&WITHOUT_CACHE.0, &WITHOUT_CACHE.1, count);
    let mut random = Random(1);
    let mut processor: Vec<Vec<f64>> = vec![Vec::new(); KINDS.len()];
    let measured = plan.rounds(&heading, KINDS.len(), |index| {
        let kind = &KINDS[index];
        let sessions = if kind.is_cached { &mut cached } else { &mut uncached };
        let (each_second, seconds_of_each) = sessions.turn(kind, &mut random);
        processor[index].push(seconds_of_each * 1e6);
        each_second
    });
    let row = |(index, kind): (usize, &Kind)| {
        let without = KINDS
            .iter()
            .position(|other| !other.is_cached && other.tokens == kind.tokens && other.uses == kind.uses);
        let to_no_cache = without
            .filter(|_| kind.is_cached)
            .map(|without| number(measured[index].ratio(&measured[without])));
        vec![
            kind.label.to_owned(),
            number(measured[index].median()),
            number(measured[index].ratio(&measured[0])),
            to_no_cache.unwrap_or_default(),
            number(median(&mut processor[index].clone())),
        ]
    };
    let shown: Vec<_> = KINDS.iter().enumerate().map(row).collect();
    let columns = [
        "tokens",
        "tps, median",
        "ratio to no identity",
        "to no cache",
        "µs of the server's processors",
    ];
    table(&heading, &columns, &shown);
    measured.iter().map(|series| series.median()).collect()
}
