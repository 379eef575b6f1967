//! F: the cost of an identity in each transaction, with one client for each connection.

use std::hint::black_box;
use std::sync::LazyLock;

use postgres::{Client, Statement};
use testkit::issuer::{BareCheck, fresh, members};

use crate::databases::{CLAIMS_MODE, PROVIDER_MODE, session};
use crate::measure::{Plan, median, number, seconds, table};
use crate::policies::{MINE, ROWS};

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
    /// Whether each transaction of a turn has the same text.
    repeated: bool,
    /// Whether the message of `begin` has the statement too, so that it costs no further round trip.
    with_begin: bool,
    /// The algorithm of the checked signatures.
    signed: Option<&'static str>,
}

const fn kind(label: &'static str, role: &'static str, first: Option<&'static str>, text: fn() -> String) -> Kind {
    Kind {
        label,
        database: &PROVIDER_MODE,
        role,
        first,
        text,
        repeated: false,
        with_begin: false,
        signed: None,
    }
}

/// A new token each time.
const fn new_token(label: &'static str, alg: &'static str, text: fn() -> String) -> Kind {
    Kind {
        signed: Some(alg),
        ..kind(label, "bare", Some(PRESENT), text)
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

/// The claims that a gateway sets after it has verified a token itself.
fn verified_claims() -> String {
    testkit::issuer::claims(&members(), CLAIMS_BYTES)
}

pub const NO_IDENTITY: Kind = kind("no identity", "constant", None, nothing);
pub const NEW_ED25519: Kind = new_token("new token, EdDSA", "EdDSA", ed25519);
pub const NEW_RSA: Kind = new_token("new token, RS256", "RS256", rsa);
pub const CLAIMS_SET: Kind = Kind {
    database: &CLAIMS_MODE,
    ..kind("claims mode, `set_config`", "bare", Some(SET_CLAIMS), verified_claims)
};

const KINDS: [Kind; 15] = [
    NO_IDENTITY,
    kind(
        "no identity, `select octet_length(token)`",
        "constant",
        Some("select octet_length($1::text)"),
        ed25519,
    ),
    NEW_ED25519,
    new_token("new token, ES256", "ES256", p256),
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
        with_begin: true,
        ..kind(
            "no identity, `octet_length(token)` with `begin`",
            "constant",
            Some("select octet_length($1::text)"),
            ed25519,
        )
    },
    Kind {
        with_begin: true,
        ..new_token("new token with `begin`, EdDSA", "EdDSA", ed25519)
    },
    Kind {
        with_begin: true,
        ..new_token("new token with `begin`, ES256", "ES256", p256)
    },
    Kind {
        with_begin: true,
        ..new_token("new token with `begin`, RS256", "RS256", rsa)
    },
    Kind {
        with_begin: true,
        repeated: true,
        ..kind("same token with `begin`, EdDSA", "bare", Some(PRESENT), ed25519)
    },
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
    first: Option<First>,
    query: Statement,
}

/// The statement that receives the text.
enum First {
    Prepared(Statement),
    WithBegin(&'static str),
}

impl Worker {
    fn new(kind: &Kind) -> Worker {
        let mut client = session(kind.database);
        client.batch_execute(&format!("set role {}", kind.role)).unwrap();
        Worker {
            first: kind.first.map(|first| match kind.with_begin {
                true => First::WithBegin(first),
                false => First::Prepared(client.prepare(first).unwrap()),
            }),
            query: client.prepare("select user_id from items where id = $1").unwrap(),
            client,
        }
    }

    fn run(&mut self, texts: &[String]) {
        let mine = i32::try_from(ROWS / MINE).unwrap();
        for text in texts {
            match &self.first {
                None => self.client.batch_execute("begin").unwrap(),
                Some(First::Prepared(first)) => {
                    self.client.batch_execute("begin").unwrap();
                    self.client.query(first, &[text]).unwrap();
                }
                Some(First::WithBegin(first)) => {
                    let message = format!("begin; {}", first.replace("$1", &format!("'{text}'")));
                    self.client.batch_execute(&message).unwrap();
                }
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

    /// Transactions per second, when each client runs this many.
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
    static ALL: [Kind; 15] = KINDS;
    let heading = format!("F. Transactions: begin, identity, one row by its key, commit; {CLIENTS} clients");
    let mut clients: Vec<Clients> = ALL.iter().map(|kind| Clients::new(kind, CLIENTS)).collect();
    let each = plan.choose(600, 150);
    let measured = plan.rounds(&heading, ALL.len(), |index| clients[index].turn(each));
    // One client's transaction without an identity, and the check of a signature beside it, in seconds.
    let alone = CLIENTS as f64 / measured[0].median();
    let with_signature = |alg: &'static str| {
        let (check, token) = (BareCheck::new(alg), fresh(alg, CLAIMS_BYTES));
        let mut times: Vec<f64> = (0..500)
            .map(|_| seconds(|| assert!(check.verify(black_box(&token)))))
            .collect();
        number(alone / (alone + median(&mut times)))
    };
    let row = |(index, kind): (usize, &Kind)| {
        vec![
            kind.label.to_owned(),
            number(measured[index].max()),
            number(measured[index].median()),
            number(measured[index].ratio(&measured[0])),
            number(measured[index].ratio(&measured[1])),
            kind.signed.map(with_signature).unwrap_or_default(),
        ]
    };
    let shown: Vec<_> = ALL.iter().enumerate().map(row).collect();
    let columns = [
        "the transaction begins with",
        "tps, max",
        "tps, median",
        "ratio to no identity",
        "to one more round trip",
        "its signature alone would leave",
    ];
    table(&heading, &columns, &shown);
}
