//! Statements in which user code runs between the return of a function's value and its last use. That code changes the
//! identity, settings and the role, allocates, and calls the same call site again.
//!
//! Each value is compared, before and after that code, with the expected result at the time of its call. A changed
//! value, an error or a lost connection is a failure.
//!
//! PG_SESSION_JWT_REENTRANCE is the number of statements (500), PG_SESSION_JWT_REENTRANCE_SEED the first seed. A
//! failure prints the seed that repeats it as the first statement, and the simplest statement that fails like it.

mod draw;
mod functions;
mod identities;
mod sites;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, SimpleQueryMessage};

use draw::{Draw, Form, draw};
use identities::{IDENTITIES, ISSUER};
use testkit::cases::Seeds;
use testkit::server::{Server, major};
use testkit::session::{one, rows, run};
use testkit::signer::Signer;

/// How a session has its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Claims,
    Proxy,
    Provider,
}

/// Each function with its type.
const READERS: [(&str, &str); 8] = [
    ("user_id", "text"),
    ("uid", "uuid"),
    ("session", "jsonb"),
    ("jwt", "jsonb"),
    ("organization", "jsonb"),
    ("organization_id", "uuid"),
    ("role", "text"),
    ("email", "text"),
];

const PARALLEL: &str = "set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0;
    set local min_parallel_table_scan_size = 0; set local max_parallel_workers_per_gather = 2; ";

const LOGIN: &str = "reentrant";

/// Statements of one session, which must not affect each other.
const IN_ONE_SESSION: usize = 25;

/// attack: 136
#[test]
fn no_value_changes_before_its_last_use() {
    let mut seeds = Seeds::from_environment("PG_SESSION_JWT_REENTRANCE", 500);
    let began = Instant::now();
    let server = start();
    let mut sites: Vec<Site> = [Mode::Claims, Mode::Proxy, Mode::Provider]
        .map(|mode| Site::build(&server, mode))
        .into();
    let built = began.elapsed();
    let mut shapes = BTreeSet::new();
    let draw = draw(sites.iter().all(|site| site.foreign));
    for _ in 0..seeds.wanted {
        seeds.test(&draw, |draw| {
            let shape = sites[draw.site].play(&draw)?;
            shapes.insert(shape);
            Ok(())
        });
    }
    println!(
        "{} statements of {} shapes, {} s after {} s to build, seeds from {}",
        seeds.wanted,
        shapes.len(),
        (began.elapsed() - built).as_secs(),
        built.as_secs(),
        seeds.first
    );
}

/// A server of the program that PG_SESSION_JWT_REENTRANCE_SERVER names, which may start the real one under valgrind.
fn start() -> Server {
    let Some(program) = std::env::var_os("PG_SESSION_JWT_REENTRANCE_SERVER") else {
        return Server::start("");
    };
    let server = Server::start_program("", |_| program.into());
    run(
        &mut server.connect("template1", "postgres", ""),
        "create extension pg_session_jwt",
    );
    server
}

/// A statement, and the call that the user code repeats.
struct Statement {
    sql: String,
    again: String,
    /// Lines for COPY FROM, if the statement is one.
    lines: Option<&'static str>,
}

/// A database with one mode, and a session there.
struct Site<'a> {
    server: &'a Server,
    database: String,
    mode: Mode,
    jwk: String,
    foreign: bool,
    /// The expected result of each function for each identity.
    wanted: BTreeMap<(String, String), Option<String>>,
    client: Option<Client>,
    played: usize,
}

impl<'a> Site<'a> {
    fn build(server: &'a Server, mode: Mode) -> Self {
        let database = server.database();
        let mut admin = server.connect(&database, "postgres", "");
        let signer = Signer::ed25519();
        let jwk = signer.jwk("");
        run(
            &mut admin,
            &format!(
                "do $$begin create role {LOGIN} login noinherit in role authenticated, anonymous;
                 exception when duplicate_object then end$$"
            ),
        );
        run(&mut admin, functions::COMMON);
        run(&mut admin, &identities::fill(mode, &signer));
        for level in 1..=functions::LEVELS {
            run(&mut admin, &other_identity(mode, level, functions::ELSEWHERE));
        }
        run(&mut admin, &other_identity(mode, 1, functions::ASIDE));
        for of_type in ["text", "uuid", "jsonb"] {
            run(&mut admin, &functions::OF_TYPE.replace("$T", of_type));
        }
        let foreign = has_foreign_tables(server, &mut admin, &database);
        for reader in READERS {
            run(&mut admin, &functions_of(reader));
            if foreign {
                let (name, of_type) = reader;
                let far = format!(
                    "create foreign table re.far_{name} (n int, v {of_type}) server loop
                         options (schema_name 're', table_name 'near_{name}');
                     grant select on re.far_{name} to public"
                );
                run(&mut admin, &far);
            }
        }
        if mode == Mode::Provider {
            run(
                &mut admin,
                &format!(
                    r#"load 'pg_session_jwt'; alter database {database} set pg_session_jwt.providers =
                       '[{{"issuer":"{ISSUER}","expiry":"optional","jwks":{{"keys":[{jwk}]}}}}]'"#
                ),
            );
        }
        let texts = rows(&mut admin, "select n, reader, value from re.wanted");
        let wanted = texts.into_iter().map(|mut row| {
            let value = row.pop().unwrap();
            ((row[0].take().unwrap(), row[1].take().unwrap()), value)
        });
        Site {
            server,
            database,
            mode,
            jwk,
            foreign,
            wanted: wanted.collect(),
            client: None,
            played: 0,
        }
    }

    /// Runs one statement, and returns its shape.
    fn play(&mut self, draw: &Draw) -> Result<String, String> {
        let (reader, of_type) = draw.reader;
        let (shape, statement) = statement(draw);
        let fill = |text: &str| {
            text.replace("$S", statements::ROWS)
                .replace("$R", reader)
                .replace("$T", of_type)
                .replace("$K", &draw.rows.to_string())
        };
        let start = format!(
            "select re.start('{reader}', '{}', {}, '{}')",
            draw.program,
            draw.levels,
            fill(&statement.again)
        );
        let sql = format!("begin; {start}; {}{}", draw.method, fill(&statement.sql));
        match self.run(reader, &sql, statement.lines) {
            Ok(()) => Ok(shape),
            Err(failure) => {
                self.wait();
                Err(format!("{failure}\n{:?} mode, {reader}: {sql}", self.mode))
            }
        }
    }

    fn run(&mut self, reader: &str, sql: &str, lines: Option<&str>) -> Result<(), String> {
        let mut client = self.client.take().unwrap_or_else(|| self.connect());
        let told = |error: postgres::Error| match error.as_db_error() {
            Some(error) => format!(
                "{} {} {:?} {:?}",
                error.code().code(),
                error.message(),
                error.detail(),
                error.where_()
            ),
            None => format!("the connection is lost: {error:?}"),
        };
        let (query, copy) = match lines {
            None => (sql, None),
            Some(lines) => {
                let (before, copy) = sql.rsplit_once("; ").unwrap();
                (before, Some((copy, lines)))
            }
        };
        let mut answers = client.simple_query(query).map_err(told)?;
        if let Some((copy, lines)) = copy {
            let (copy, table) = (copy, copy.split(' ').nth(1).unwrap());
            let mut writer = client.copy_in(copy).map_err(told)?;
            writer.write_all(lines.as_bytes()).unwrap();
            writer.finish().map_err(told)?;
            answers = client
                .simple_query(&format!("select n, v from {table}"))
                .map_err(told)?;
        }
        for answer in answers {
            if let SimpleQueryMessage::Row(row) = answer {
                self.check(reader, &row)?;
            }
        }
        client.batch_execute("rollback").map_err(told)?;
        self.played += 1;
        let near_the_last = i64::try_from(IDENTITIES - 60).unwrap();
        if !self.played.is_multiple_of(IN_ONE_SESSION)
            && one::<i64>(&mut client, "select last_value from re.serial") < near_the_last
        {
            self.client = Some(client);
        }
        Ok(())
    }

    /// Waits until the server, which may have crashed with the connection, can be stopped.
    fn wait(&self) {
        sleep(Duration::from_secs(1));
        let began = Instant::now();
        while self.server.try_connect(&self.database, "postgres", "").is_err()
            && began.elapsed() < Duration::from_secs(60)
        {
            sleep(Duration::from_millis(100));
        }
    }

    /// Rows of a value and the number of the identity at that time. In other rows nothing may be false.
    fn check(&self, reader: &str, row: &postgres::SimpleQueryRow) -> Result<(), String> {
        if row.columns().len() == 2 && row.columns()[0].name() == "n" {
            let key = (row.get(0).unwrap().to_owned(), reader.to_owned());
            let (wanted, seen) = (self.wanted[&key].as_deref(), row.get(1));
            if wanted != seen {
                let short = |text: Option<&str>| text.map(|text| text[..text.floor_char_boundary(100)].to_owned());
                return Err(format!("{:?} instead of {:?}", short(seen), short(wanted)));
            }
        } else if (0..row.len()).any(|column| row.get(column) == Some("f")) {
            return Err("false".to_owned());
        }
        Ok(())
    }

    fn connect(&self) -> Client {
        let mut options = String::from("-c re.mode=");
        options += if self.mode == Mode::Claims { "claims" } else { "token" };
        if self.mode == Mode::Proxy {
            write!(options, " -c pg_session_jwt.jwk={}", self.jwk).unwrap();
        }
        options += " -c re.now=0";
        let mut admin = self.server.connect(&self.database, "postgres", "");
        run(&mut admin, "select setval('re.serial', 1)");
        let mut client = self.server.connect(&self.database, LOGIN, &options);
        // Loads the library, which a parallel worker could not.
        run(&mut client, "select auth.user_id()");
        client
    }
}

/// A function that sets another identity by its SET clause: other claims, or no token.
fn other_identity(mode: Mode, level: usize, function: &str) -> String {
    let (set, n) = match mode {
        Mode::Claims => {
            let claims = identities::elsewhere(level);
            (format!("set request.jwt.claims = '{claims}'"), format!("-{level}"))
        }
        Mode::Proxy | Mode::Provider => ("set pg_session_jwt.jwt = ''".to_owned(), "0".to_owned()),
    };
    function
        .replace("$SET", &set)
        .replace("$N", &n)
        .replace("$L", &level.to_string())
}

fn functions_of((reader, of_type): (&str, &str)) -> String {
    let mut sql = String::from(sites::BEFORE);
    for (name, returns, body) in sites::PLPGSQL {
        write!(
            sql,
            "create function re.{name}_$R() returns {returns} language plpgsql as $${body}$$;"
        )
        .unwrap();
    }
    for (name, body) in sites::SQL {
        write!(
            sql,
            "create function re.{name}_$R() returns re.d_$T volatile language sql {body};"
        )
        .unwrap();
    }
    sql.replace("$R", reader).replace("$T", of_type)
}

/// Whether the server has postgres_fdw; its foreign server is this one.
fn has_foreign_tables(server: &Server, admin: &mut Client, database: &str) -> bool {
    let sql = "select exists (select from pg_available_extensions where name = 'postgres_fdw')";
    if !one::<bool>(admin, sql) {
        return false;
    }
    run(
        admin,
        &format!(
            "create extension postgres_fdw;
             create server loop foreign data wrapper postgres_fdw
                 options (host '127.0.0.1', port '{}', dbname '{database}');
             create user mapping for public server loop options (user 'postgres', password_required 'false')",
            server.port()
        ),
    );
    true
}

/// The shape of a statement, and the statement.
fn statement(draw: &Draw) -> (String, Statement) {
    let function = draw.function;
    let statement = |sql: &str| Statement {
        sql: sql.to_owned(),
        again: format!("select re.{function}_$R()"),
        lines: None,
    };
    match draw.form {
        Form::Function if function == "cast" => (function.to_owned(), statement("select count(re.cast_$R()) >= 0")),
        Form::Function => {
            let sql = format!("select re.traced(array_agg(v::text)) from (select re.{function}_$R() v offset 0) x");
            (function.to_owned(), statement(&sql))
        }
        Form::Parallel(sql) => {
            let force = if major() >= 16 {
                "debug_parallel_query"
            } else {
                "force_parallel_mode"
            };
            (
                sql.to_owned(),
                statement(&format!("{PARALLEL}set local {force} = on; {sql}")),
            )
        }
        Form::Copy => {
            let mut copy = statement("copy re.copied_$R (a, b) from stdin");
            copy.lines = Some("a\tb\nc\td\ne\tf\ng\th\n");
            ("copy".to_owned(), copy)
        }
        Form::Foreign(sql) | Form::Statement(sql) => (sql.to_owned(), statement(sql)),
    }
}
