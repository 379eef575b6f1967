//! What is joined by AND in a sub-select keeps its order: the first part shields the second one from rows of others.

use testkit::session::{rows, run};

use super::support::{optimize, session};

#[test]
fn a_conjunction_in_a_sub_select_keeps_its_order() {
    let mut client = session("true");
    run(
        &mut client,
        "reset role; create table accounts (id int, user_id text, n int);
         insert into accounts values (1, 'alice', 7), (2, 'bob', 0);
         alter table accounts enable row level security; grant all on accounts to authenticated;
         create policy own on accounts to authenticated
             using ((select auth.jwt() ->> 'sub' = user_id and 10 / n > 0));
         set role authenticated; set request.jwt.claims = '{\"sub\":\"alice\"}'",
    );
    for on in [false, true] {
        optimize(&mut client, on);
        assert_eq!(
            rows(&mut client, "select id from accounts"),
            [[Some("1".to_owned())]],
            "{on}"
        );
    }
}
