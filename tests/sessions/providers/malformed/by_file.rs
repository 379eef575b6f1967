//! The server's file, read when the server starts and at a reload.

use std::fs;
use std::time::{Duration, Instant};

use postgres::Client;
use testkit::session::{one, run, user_id};

use super::Ways;
use super::shut::unusable;

impl Ways {
    pub fn file_at_start(&mut self) {
        let path = self.server.directory().join("data/postgresql.conf");
        let without = fs::read_to_string(&path).unwrap();
        for (turn, malformed) in self.parties.values().iter().enumerate() {
            let line = format!("\npg_session_jwt.providers = '{}'\n", malformed.value);
            self.server
                .restart_after(|_| fs::write(&path, without.clone() + &line).unwrap());
            let mut client = self.connect(&self.user, "");
            self.parties
                .is_shut(&mut client, &unusable(malformed), turn, "postgresql.conf");
        }
        self.server.restart_after(|_| fs::write(&path, without).unwrap());
    }

    pub fn file_when_reloaded(&self) {
        let good = self.parties.good_value();
        let mut living = self.connect("postgres", "");
        self.alter_system(&good, &mut living);
        self.parties.is_restored(&mut living, "ALTER SYSTEM");
        for (turn, malformed) in self.parties.values().iter().enumerate() {
            let mut idle = self.connect("postgres", "");
            self.alter_system(&malformed.value, &mut idle);
            let mut fresh = self.connect(&self.user, "");
            for client in [&mut living, &mut idle, &mut fresh] {
                self.parties.is_shut(client, &unusable(malformed), turn, "ALTER SYSTEM");
            }
            self.alter_system(&good, &mut idle);
            self.parties.is_restored(&mut idle, "ALTER SYSTEM, fixed");
            self.parties
                .is_restored(&mut self.connect(&self.user, ""), "ALTER SYSTEM, fixed");
            // DISCARD ALL was the logout.
            assert_eq!(user_id(&mut living), None);
            self.parties.is_restored(&mut living, "ALTER SYSTEM, fixed");
        }
        self.alter_system("", &mut living);
        // It has lost them; a new session has its own key.
        assert_eq!(one::<String>(&mut living, "select mode from auth.status()"), "unusable");
        let mut fresh = self.connect(&self.user, "");
        assert_eq!(one::<String>(&mut fresh, "select mode from auth.status()"), "proxy");
    }

    /// Changes the server's file and waits until this session has read it. An empty value removes the line.
    fn alter_system(&self, value: &str, client: &mut Client) {
        let mut admin = self.server.connect(&self.plain, "postgres", "");
        // PostgreSQL 15 and 16 reject parameters that the session does not know.
        run(&mut admin, "set pg_session_jwt.providers = ''");
        let change = match value {
            "" => "alter system reset pg_session_jwt.providers".to_owned(),
            value => format!("alter system set pg_session_jwt.providers = '{value}'"),
        };
        run(&mut admin, &change);
        run(&mut admin, "select pg_reload_conf()");
        let current = "select coalesce(current_setting('pg_session_jwt.providers', true), '')";
        let started = Instant::now();
        while one::<String>(client, current) != value {
            assert!(started.elapsed() < Duration::from_secs(30), "the reload does not come");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
