//! F: what an identity costs in each transaction, with as many clients as there are connections.

use std::sync::LazyLock;

use postgres::{Client, Statement};

use crate::databases::{CLAIMS_MODE, PROVIDER_MODE, session};
use crate::measure::{Plan, number, seconds, table};
use crate::policies::{MINE, ROWS};
use crate::tokens::{fresh, members};

const CLIENTS: usize = 2;
const CLAIMS_BYTES: usize = 400;

const PRESENT: &str = "select auth.jwt_session_init($1, true)";
const SET_CLAIMS: &str = "select set_config('request.jwt.claims', $1, true)";

/// How a transaction begins.
pub struct Kind {
    pub label: &'static str,
    database: &'static LazyLock<String>,
    /// The role, and so the policy.
    role: &'static str,
    /// The statement that receives the text.
    first: Option<&'static str>,
    text: fn() -> String,
    /// The same text in each transaction of a turn.
    repeated: bool,
}

const fn kind(label: &'static str, role: &'static str, first: Option<&'static str>, text: fn() -> String) -> Kind {
    Kind {
        label,
        database: &PROVIDER_MODE,
        role,
        first,
        text,
        repeated: false,
    }
}

fn nothing() -> String {
    String::new()
}

fn ed25519() -> String {
    fresh("EdDSA", CLAIMS_BYTES)
}

fn p256() -> String {
    fresh("ES256", CLAIMS_BYTES)
}

fn rsa() -> String {
    fresh("RS256", CLAIMS_BYTES)
}

/// What a front end sets when it has verified a token itself.
fn verified_claims() -> String {
    crate::tokens::claims(&members(), CLAIMS_BYTES)
}

pub const NO_IDENTITY: Kind = kind("no identity", "constant", None, nothing);
pub const NEW_ED25519: Kind = kind("new token, EdDSA", "bare", Some(PRESENT), ed25519);
pub const NEW_RSA: Kind = kind("new token, RS256", "bare", Some(PRESENT), rsa);
pub const CLAIMS_SET: Kind = Kind {
    database: &CLAIMS_MODE,
    ..kind("claims mode, `set_config`", "bare", Some(SET_CLAIMS), verified_claims)
};

const KINDS: [Kind; 10] = [
    NO_IDENTITY,
    kind(
        "no identity, `select octet_length(token)`",
        "constant",
        Some("select octet_length($1::text)"),
        ed25519,
    ),
    NEW_ED25519,
    kind("new token, ES256", "bare", Some(PRESENT), p256),
    NEW_RSA,
    Kind {
        repeated: true,
        ..kind("same token, EdDSA", "bare", Some(PRESENT), ed25519)
    },
    Kind {
        repeated: true,
        ..kind("same token, ES256", "bare", Some(PRESENT), p256)
    },
    Kind {
        repeated: true,
        ..kind("same token, RS256", "bare", Some(PRESENT), rsa)
    },
    CLAIMS_SET,
    Kind {
        database: &CLAIMS_MODE,
        ..kind(
            "`set_config`, read as JSON in SQL",
            "claim",
            Some(SET_CLAIMS),
            verified_claims,
        )
    },
];

/// A session that runs transactions of one kind.
struct Worker {
    client: Client,
    first: Option<Statement>,
    query: Statement,
}

impl Worker {
    fn new(kind: &Kind) -> Worker {
        let mut client = session(kind.database);
        client.batch_execute(&format!("set role {}", kind.role)).unwrap();
        Worker {
            first: kind.first.map(|first| client.prepare(first).unwrap()),
            query: client.prepare("select user_id from items where id = $1").unwrap(),
            client,
        }
    }

    fn run(&mut self, texts: &[String]) {
        let mine = i32::try_from(ROWS / MINE).unwrap();
        for text in texts {
            self.client.batch_execute("begin").unwrap();
            if let Some(first) = &self.first {
                self.client.query(first, &[text]).unwrap();
            }
            assert_eq!(self.client.query(&self.query, &[&mine]).unwrap().len(), 1);
            self.client.batch_execute("commit").unwrap();
        }
    }
}

/// Clients that run transactions of one kind at the same time.
pub struct Clients {
    workers: Vec<Worker>,
    kind: &'static Kind,
}

impl Clients {
    pub fn new(kind: &'static Kind, count: usize) -> Clients {
        let workers = (0..count).map(|_| Worker::new(kind)).collect();
        Clients { workers, kind }
    }

    /// Transactions per second, when each client runs so many.
    pub fn turn(&mut self, each: usize) -> f64 {
        let kind = self.kind;
        let texts = || match kind.repeated {
            true => vec![(kind.text)(); each],
            false => (0..each).map(|_| (kind.text)()).collect(),
        };
        let texts: Vec<Vec<String>> = self.workers.iter().map(|_| texts()).collect();
        let run = || {
            std::thread::scope(|scope| {
                for (worker, texts) in self.workers.iter_mut().zip(&texts) {
                    scope.spawn(|| worker.run(texts));
                }
            });
        };
        let took = seconds(run);
        (texts.len() * each) as f64 / took
    }
}

pub fn measure(plan: &Plan) {
    static ALL: [Kind; 10] = KINDS;
    let heading = format!("F. Transactions: begin, identity, one row by its key, commit; {CLIENTS} clients");
    let mut clients: Vec<Clients> = ALL.iter().map(|kind| Clients::new(kind, CLIENTS)).collect();
    let each = plan.choose(600, 150);
    let measured = plan.rounds(&heading, ALL.len(), |place| clients[place].turn(each));
    let row = |(place, kind): (usize, &Kind)| {
        vec![
            kind.label.to_owned(),
            number(measured[place].max()),
            number(measured[place].median()),
            number(measured[place].ratio(&measured[0])),
            number(measured[place].ratio(&measured[1])),
        ]
    };
    let shown: Vec<_> = ALL.iter().enumerate().map(row).collect();
    let columns = [
        "the transaction begins with",
        "tps, max",
        "tps, median",
        "ratio to no identity",
        "to as many round trips",
    ];
    table(&heading, &columns, &shown);
}
