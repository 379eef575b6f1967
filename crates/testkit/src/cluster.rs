//! Whole clusters, for tests of what belongs to a cluster: roles, and databases with and without the extension.
//!
//! One test at a time uses a cluster, and finds it as initdb made it.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

use postgres::Client;

use crate::server::Server;
use crate::session::{one, run};
use crate::tree;

/// The PostgreSQL under test.
pub static PLAIN: LazyLock<Cluster> = LazyLock::new(|| Cluster::new(Server::start_empty("")));

/// A private copy of that PostgreSQL; its extension directory belongs to the tests.
static COPY: LazyLock<Cluster> = LazyLock::new(|| Cluster::new(Server::start_program("", tree::make)));

pub struct Cluster(Mutex<Server>);

/// The cluster whose extension directory a test may change. At first it holds the installed scripts.
pub fn with_own_scripts() -> Turn<'static> {
    let turn = COPY.turn();
    tree::reset_scripts(turn.directory());
    turn
}

/// A cluster while one test uses it.
pub struct Turn<'a>(MutexGuard<'a, Server>);

impl Cluster {
    pub fn new(server: Server) -> Cluster {
        Cluster(Mutex::new(server))
    }

    /// Waits for the cluster and empties it.
    pub fn turn(&self) -> Turn<'_> {
        Self::empty(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Empties the cluster, unless another test uses it.
    pub fn try_turn(&self) -> Option<Turn<'_>> {
        match self.0.try_lock() {
            Ok(server) => Some(Self::empty(server)),
            Err(TryLockError::Poisoned(poisoned)) => Some(Self::empty(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn empty(server: MutexGuard<'_, Server>) -> Turn<'_> {
        let turn = Turn(server);
        let mut client = turn.superuser("postgres");
        let all = "select format('drop database %I with (force)', datname) from pg_database
                   where datname not in ('postgres', 'template0', 'template1')";
        for row in client.query(all, &[]).unwrap() {
            run(&mut client, row.get(0));
        }
        drop_roles(&mut client);
        drop(client);
        turn
    }
}

/// Drops every role that initdb did not make.
pub fn drop_roles(client: &mut Client) {
    let all = "select 'drop role ' || string_agg(quote_ident(rolname), ', ') from pg_roles
               where rolname !~ '^pg_' and rolname <> 'postgres'";
    if let Some(drop) = one::<Option<String>>(client, all) {
        run(client, &drop);
    }
}

impl Turn<'_> {
    /// The directory of extension scripts that this cluster reads, if it is [`with_own_scripts`].
    pub fn extension_directory(&self) -> PathBuf {
        tree::extension_directory(self.directory())
    }

    pub fn superuser(&self, database: &str) -> Client {
        self.connect(database, "postgres", "")
    }

    /// Runs this as superuser in the database `postgres`.
    pub fn run(&self, sql: &str) {
        run(&mut self.superuser("postgres"), sql);
    }

    /// A new database without the extension.
    pub fn empty_database(&self, name: &str) -> Client {
        self.run(&format!("create database {name}"));
        self.superuser(name)
    }

    /// A session as the role `owner`, not a superuser, in a database that this role owns.
    pub fn owner(&self, database: &str) -> Client {
        let mut client = self.superuser("postgres");
        if one::<bool>(&mut client, "select to_regrole('owner') is null") {
            run(&mut client, "create role owner login");
        }
        run(&mut client, &format!("create database {database} owner owner"));
        self.connect(database, "owner", "")
    }
}

impl Deref for Turn<'_> {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
