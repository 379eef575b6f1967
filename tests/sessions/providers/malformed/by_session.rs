//! Values from the session itself: in its startup packet, by SET, and by functions with a SET clause.

use testkit::session::{init, rejection_of, rejects, run, user_id};

use super::shut::{NOT_APPLIED, fails, rejected, unusable};
use super::{Loading, Ways};

/// The message for an ordinary user.
const PERMISSION: (&str, &str) = (
    "42501",
    "permission denied to set parameter \"pg_session_jwt.providers\"",
);

impl Ways {
    pub fn startup_packet(&self) {
        for (turn, malformed) in self.parties.values().iter().enumerate() {
            // The packet's options are split at spaces without a backslash.
            let more = format!("-c pg_session_jwt.providers={}", malformed.value.replace(' ', "\\ "));
            let mut client = self.connect("postgres", &more);
            let (told, way) = (unusable(malformed), "startup packet");
            self.parties.is_shut(&mut client, &told, turn, way);
            run(
                &mut client,
                &format!("set pg_session_jwt.providers = '{}'", self.parties.good_value()),
            );
            self.parties.is_restored(&mut client, way);
            run(&mut client, "reset pg_session_jwt.providers");
            self.parties.is_shut(&mut client, &told, turn, way);

            let of_user = self.parties.try_connect(&self.server, &self.plain, &self.user, &more);
            if self.loading == Loading::Server {
                let rejected = rejection_of(&of_user.err().unwrap());
                assert_eq!(
                    (rejected.sqlstate.as_str(), rejected.message.as_str()),
                    PERMISSION,
                    "{way}"
                );
            } else {
                self.parties.is_shut(&mut of_user.unwrap(), &NOT_APPLIED, turn, way);
            }
        }
    }

    pub fn set_in_the_session(&self) {
        let good = self.parties.good_value();
        for (turn, malformed) in self.parties.values().iter().enumerate() {
            let value = &malformed.value;
            let set = match turn % 2 {
                0 => format!("set pg_session_jwt.providers = '{value}'"),
                _ => format!("select set_config('pg_session_jwt.providers', '{value}', false)"),
            };
            let mut client = self.connect("postgres", "");
            let mut of_user = self.connect(&self.user, "");
            if self.loading == Loading::FirstCall {
                for client in [&mut client, &mut of_user] {
                    run(client, &set);
                    self.parties.is_shut(client, &NOT_APPLIED, turn, "SET");
                }
            }
            rejects(&mut of_user, &set, PERMISSION.0, PERMISSION.1);
            run(&mut client, &format!("set pg_session_jwt.providers = '{good}'"));
            self.parties.is_restored(&mut client, "SET");
            fails(&mut client, &set, &rejected(malformed), "SET");
            let local = format!("begin; set local pg_session_jwt.providers = '{value}'");
            fails(&mut client, &local, &rejected(malformed), "SET LOCAL");
            run(&mut client, "rollback");
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
        }
    }

    pub fn function(&self) {
        let mut admin = self.connect("postgres", "");
        run(&mut admin, "select from auth.status()");
        let callers = [
            ("postgres", "called"),
            ("postgres", "definer"),
            (self.user.as_str(), "called"),
            (self.user.as_str(), "definer"),
        ];
        for ((turn, malformed), (user, kind)) in self.parties.values().iter().enumerate().zip(callers.iter().cycle()) {
            let call = format!("select {kind}{turn}()");
            if self.loading == Loading::FirstCall {
                let mut client = self.connect(user, "");
                fails(&mut client, &call, &NOT_APPLIED, "function");
                self.parties.is_shut(&mut client, &NOT_APPLIED, turn, "function");
            }
            let mut client = self.connect(user, "");
            init(&mut client, &self.parties.proxy.token_with_jti(1, r#""sub":"alice""#));
            if (*user, *kind) == (self.user.as_str(), "called") {
                rejects(&mut client, &call, PERMISSION.0, PERMISSION.1);
            } else {
                fails(&mut client, &call, &rejected(malformed), "function");
            }
            assert_eq!(user_id(&mut client).as_deref(), Some("alice"));
            let set = format!("set pg_session_jwt.providers = '{}'", malformed.value);
            let create = format!("create function pg_temp.f() returns int language sql {set} as 'select 1'");
            for sql in [create, format!("alter function definer_sees() {set}")] {
                fails(&mut admin, &sql, &rejected(malformed), "function");
            }
        }
    }
}
