//! Unusable providers, for every way to set them and every moment of loading the library. They never enable the key of
//! the startup packet or request.jwt.claims.

mod by_file;
mod by_session;
mod shut;
mod values;

use postgres::Client;

use shut::{Parties, fails, rejected, unusable};
use testkit::loading::{is_loaded, ordinary_user};
use testkit::server::Server;
use testkit::session::run;

/// What loads the library.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loading {
    Server,
    Session,
    FirstCall,
}

/// attack: 125
#[test]
fn preloaded_by_the_server() {
    Ways::new(Loading::Server).try_all();
}

#[test]
fn preloaded_by_each_session() {
    Ways::new(Loading::Session).try_all();
}

#[test]
fn loaded_by_the_first_call() {
    Ways::new(Loading::FirstCall).try_all();
}

struct Ways {
    server: Server,
    loading: Loading,
    parties: Parties,
    /// A database and an ordinary user without stored settings.
    plain: String,
    user: String,
    /// For each value: the place of storage, and a database and a user to whom it applies.
    stored: Vec<Vec<(String, String, String)>>,
}

impl Ways {
    /// Stores the values while the library is not loaded, when PostgreSQL accepts any value.
    fn new(loading: Loading) -> Ways {
        let mut server = Server::start("");
        let parties = Parties::new();
        run(
            &mut server.connect("template1", "postgres", ""),
            "create function definer_sees() returns text language sql security definer as 'select auth.user_id()'",
        );
        let plain = server.database();
        let user = ordinary_user(&server, &plain);
        let mut admin = server.connect(&plain, "postgres", "");
        let mut stored = Vec::new();
        for (number, malformed) in parties.values().iter().enumerate() {
            let (own, here) = (format!("own{number}"), format!("here{number}"));
            run(
                &mut admin,
                &format!("create role {own} login; create role {here} login"),
            );
            let mut places = vec![
                (format!("alter role {own}"), plain.clone(), own),
                (format!("alter role {here} in database {plain}"), plain.clone(), here),
            ];
            // Creating a database takes as long as everything else.
            if number % 4 == 0 {
                let database = server.database();
                places.push((format!("alter database {database}"), database, user.clone()));
            }
            let set = format!("set pg_session_jwt.providers = '{}'", malformed.value);
            for (place, ..) in &places {
                run(&mut admin, &format!("{place} {set}"));
            }
            for (kind, rights) in [("called", "invoker"), ("definer", "definer")] {
                run(
                    &mut admin,
                    &format!(
                        "create function {kind}{number}() returns text language sql security {rights} {set}
                             as 'select auth.user_id()'"
                    ),
                );
            }
            stored.push(places);
        }
        let preload = match loading {
            Loading::Server => "alter system set shared_preload_libraries = 'pg_session_jwt'",
            Loading::Session => "alter system set session_preload_libraries = 'pg_session_jwt'",
            Loading::FirstCall => "select",
        };
        run(&mut admin, preload);
        drop(admin);
        server.restart();
        Ways {
            server,
            loading,
            parties,
            plain,
            user,
            stored,
        }
    }

    fn try_all(mut self) {
        self.stored();
        self.startup_packet();
        self.set_in_the_session();
        self.function();
        self.file_at_start();
        self.file_when_reloaded();
    }

    fn connect(&self, user: &str, more: &str) -> Client {
        let mut client = self.parties.connect(&self.server, &self.plain, user, more);
        assert_eq!(is_loaded(&mut client), self.loading != Loading::FirstCall);
        client
    }

    fn stored(&self) {
        let mut admin = self.connect("postgres", "");
        let good = self.parties.good_value();
        for (turn, (malformed, places)) in self.parties.values().iter().zip(&self.stored).enumerate() {
            for (place, database, user) in places {
                let mut client = self.parties.connect(&self.server, database, user, "");
                self.parties.is_shut(&mut client, &unusable(malformed), turn, place);
                run(&mut admin, &format!("{place} set pg_session_jwt.providers = '{good}'"));
                // Where the library is loaded, an interactive user gets an error, and the stored value stays.
                run(&mut admin, "select from auth.status()");
                let set = format!("{place} set pg_session_jwt.providers = '{}'", malformed.value);
                fails(&mut admin, &set, &rejected(malformed), place);
                let mut client = self.parties.connect(&self.server, database, user, "");
                self.parties.is_restored(&mut client, place);
            }
        }
    }
}
