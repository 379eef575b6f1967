//! The memory of a backend: a hundred thousand identities need no more than a few.

use std::time::Instant;

use postgres::Client;

use testkit::server::SHARED;
use testkit::session::{Proxy, one, run, user_id};

use crate::support::process_memory::own_memory;

/// Tokens of a batch, half of them invalid.
const BATCH: i64 = 1000;
const LIMIT_KIB: i64 = 1024;

/// Valid and invalid tokens in equal number, with every fault, and claims of very different lengths.
fn batch(proxy: &Proxy, other: &Proxy, from: i64) -> Vec<String> {
    let token = |jti: i64| {
        let filler = "x".repeat(usize::try_from(jti % 97).unwrap() * 8);
        let members = format!(r#""sub":"user{jti}","iss":"https://example.com/","o":{{"id":"{jti}"}},"x":"{filler}""#);
        match jti % 10 {
            1 => other.token_with_jti(jti, &members),
            3 => proxy.token_with_jti(jti, &format!(r#"{members},"exp":1"#)),
            5 => proxy.token_with_jti(0, &members),
            7 => proxy.raw(format!(r#"{{"jti":"{jti}",{members}}}"#)),
            9 => "not a token, and somewhat long ".repeat(10),
            _ => proxy.token_with_jti(jti, &members),
        }
    };
    (from..from + BATCH).map(token).collect()
}

/// Presents the tokens and uses the identity after each; returns the number of accepted tokens.
fn present(client: &mut Client, tokens: &Vec<String>) -> i64 {
    client.query_one("select present_all($1)", &[tokens]).unwrap().get(0)
}

/// Runs batches of this many tokens in all, and compares the memory after a tenth of them with that at the end.
fn measure(what: &str, tokens: i64, client: &mut Client, mut one_batch: impl FnMut(&mut Client, i64)) {
    let pid = one::<i32>(client, "select pg_backend_pid()");
    let warm_up = tokens / 10;
    let started = Instant::now();
    let mut before = 0;
    for from in (1..=tokens).step_by(usize::try_from(BATCH).unwrap()) {
        if from > warm_up && before == 0 {
            before = own_memory(pid);
        }
        one_batch(client, from);
    }
    let after = own_memory(pid);
    println!(
        "{what}: {before} KiB after {warm_up}, {after} KiB after {tokens}, {:?}",
        started.elapsed()
    );
    assert!(after - before < LIMIT_KIB, "{what}: {before} KiB grew to {after} KiB");
}

/// attack: 111
#[test]
fn a_hundred_thousand_tokens_leave_nothing_behind() {
    let (proxy, other) = (Proxy::new(), Proxy::new());
    let mut client = proxy.session_on(&SHARED, &SHARED.database());
    run(
        &mut client,
        "create function present_all(tokens text[]) returns bigint language plpgsql as $$
         declare token text; taken bigint := 0;
         begin
             foreach token in array tokens loop
                 begin
                     perform auth.jwt_session_init(token);
                     taken := taken + 1;
                 exception when others then
                     null;
                 end;
                 perform auth.user_id(), auth.session(), auth.organization();
             end loop;
             return taken;
         end $$",
    );
    let presented = |client: &mut Client, from| {
        let tokens = batch(&proxy, &other, from);
        assert_eq!(present(client, &tokens), BATCH / 2);
        let last = from + BATCH - 1 - (from + BATCH - 1) % 2;
        assert_eq!(user_id(client), Some(format!("user{last}")));
    };
    measure("in a function", 100_000, &mut client, presented);
}

/// attack: 111
#[test]
fn tokens_in_separate_statements_leave_nothing_behind() {
    let (proxy, other) = (Proxy::new(), Proxy::new());
    let mut client = proxy.session_on(&SHARED, &SHARED.database());
    run(
        &mut client,
        &format!("set pg_session_jwt.jwt = '{}'", proxy.token_with_jti(0, "")),
    );
    let presented = |client: &mut Client, from: i64| {
        // A rejection ends its message, so each invalid token has a separate message. The valid ones share one.
        let (mut good, mut taken) = (String::new(), 0);
        for (way, token) in batch(&proxy, &other, from).iter().enumerate() {
            let sql = match way % 3 {
                0 => format!("select auth.jwt_session_init('{token}');"),
                1 => format!("set pg_session_jwt.jwt = '{token}';"),
                _ => format!("begin; select auth.jwt_session_init('{token}', true), auth.session(); rollback;"),
            };
            if (from + i64::try_from(way).unwrap()) % 2 == 0 {
                good.push_str(&sql);
                taken += 1;
            } else {
                client.batch_execute(&sql).expect_err(token);
                run(client, "rollback");
            }
        }
        run(client, &good);
        assert_eq!(taken, BATCH / 2);
    };
    measure("one by one", 20_000, &mut client, presented);
}
