//! The forms of a policy that users write (also those of Drizzle for Supabase), in the two modes of a client's identity.

use postgres::Client;
use testkit::server::SHARED;
use testkit::session::{Proxy, init, rows, run};

use super::support::{
    ALICE, database, has_sub_plan, improves, improves_plan, optimize, outcome, plan, set_policy, uses_index,
};

/// PostgreSQL plans these well by itself.
const PLAIN: [&str; 6] = [
    "auth.user_id() = user_id",
    "(select auth.user_id()) = user_id",
    "user_id = (select auth.user_id())",
    "(select auth.uid()) = owner",
    "(select auth.jwt() ->> 'sub') = user_id",
    "user_id = (select auth.uid())::text",
];

const WRAPPED: [&str; 9] = [
    super::support::DRIZZLE,
    "(select user_id = auth.user_id())",
    "(select auth.uid() = owner)",
    "(select auth.uid()::text = user_id)",
    "(select auth.jwt() ->> 'sub' = user_id)",
    "(select auth.session() ->> 'sub' = todos.user_id)",
    "(select auth.user_id() = user_id) or ((select auth.user_id() = user_id) and is_public)",
    "(select auth.user_id() = user_id) or (is_public and (select auth.uid() = owner))",
    "(select auth.user_id() = user_id) and coalesce((select auth.uid() = owner), false)",
];

const READS: [&str; 3] = [
    "select id from todos",
    "update todos set task = 'new' returning id",
    "delete from todos returning id",
];

const INSERT: &str =
    "insert into todos (id, user_id, owner, is_public) select 20001, auth.user_id(), auth.uid(), false";

/// The number of rows read is the number of rows visible: alice's, and the public ones where she may see them.
fn seen(form: &str) -> usize {
    if form.contains("or is_public") { 40 } else { 20 }
}

#[test]
fn every_form_uses_the_index_with_claims() {
    let mut client = SHARED.connect(&database(), "postgres", "");
    run(
        &mut client,
        &format!(r#"set request.jwt.claims = '{{"sub":"{ALICE}"}}'"#),
    );
    every_form_uses_the_index(&mut client);
}

#[test]
fn every_form_uses_the_index_with_a_token() {
    let mut proxy = Proxy::new();
    let mut client = proxy.session_on(&SHARED, &database());
    init(&mut client, &proxy.token_of(ALICE));
    every_form_uses_the_index(&mut client);
}

fn every_form_uses_the_index(client: &mut Client) {
    for form in WRAPPED {
        set_policy(client, form);
        for sql in READS {
            improves(client, sql);
            assert_eq!(
                rows(client, &format!("begin; {sql}; rollback")).len(),
                seen(form),
                "{form}"
            );
        }
        improves_plan(client, INSERT);
    }
    for form in PLAIN {
        set_policy(client, form);
        for sql in READS {
            let plans = [false, true].map(|on| {
                optimize(client, on);
                (plan(client, sql), outcome(client, sql))
            });
            assert!(
                uses_index(&plans[1].0) && !has_sub_plan(&plans[1].0),
                "{form}\n{}",
                plans[1].0
            );
            assert_eq!(plans[0], plans[1], "{form}: there is nothing to replace");
            assert_eq!(plans[1].1[0].len(), 20, "{form}");
        }
    }
}
