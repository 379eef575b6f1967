//! Readers while a session changes its identity as fast as it can: each row is of one identity.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use testkit::session::{rows, run};

use super::support::{SERVER, monitor, pid};

/// A loop of changes in the server, which needs no message from the client.
const HAMMER: &str = r#"do $$ begin
    for i in 1 .. 2000 loop
        perform set_config('request.jwt.claims',
            format('{"sub":"%1$s","iss":"https://%1$s/"}', repeat(chr(97 + i % 26), 1 + i % 255)), false);
    end loop;
end $$"#;

/// Ends the writers, also when an assertion fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn rows_are_never_torn() {
    let database = SERVER.database();
    let stop = AtomicBool::new(false);
    let (mut read, mut users) = (0_usize, std::collections::BTreeSet::new());
    thread::scope(|scope| {
        let mut writers = Vec::new();
        for _ in 0..3 {
            let mut client = SERVER.connect(&database, "postgres", "");
            run(
                &mut client,
                r#"set request.jwt.claims = '{"sub":"a"}'; select auth.user_id()"#,
            );
            writers.push(pid(&mut client));
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    run(&mut client, HAMMER);
                }
            });
        }
        let mut monitor = monitor();
        let _ends = Ends(&stop);
        let sql = format!(
            "select user_id, issuer from auth.activity()
              where database = '{database}' and issuer <> ''"
        );
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            for row in rows(&mut monitor, &sql) {
                let [user_id, issuer] = row.try_into().unwrap();
                let user_id = user_id.unwrap();
                assert!(user_id.bytes().all(|byte| byte == user_id.as_bytes()[0]), "{user_id}");
                let url = format!("https://{user_id}/");
                let whole = if url.len() > 256 {
                    format!("{}...", &url[..253])
                } else {
                    url
                };
                assert_eq!(issuer.unwrap(), whole);
                read += 1;
                users.insert(user_id);
            }
        }
    });
    // The readers have seen many identities, and not only the last of each loop.
    assert!(read > 100 && users.len() > 20, "{read} rows of {} users", users.len());
    println!("{read} rows of {} users", users.len());
}
