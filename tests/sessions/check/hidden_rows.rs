//! INSERT … ON CONFLICT DO UPDATE on a row that policies hide: what its error and its WHERE tell about the row.

use testkit::session::{rejects, run};

use crate::check::support::Site;

#[test]
fn on_conflict_tells_whether_a_hidden_row_satisfies_a_condition() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(
        client,
        "create table notes (id int primary key, owner text, note text); alter table notes enable row level security;
         create policy own on notes to authenticated using (auth.user_id() = owner);
         create table own_notes (id int, owner text, note text, primary key (owner, id)); alter table own_notes enable row level security;
         create policy own on own_notes to authenticated using (auth.user_id() = owner);
         grant select, insert, update on notes, own_notes to authenticated;
         insert into notes values (1, 'alice', 'secret'); insert into own_notes values (1, 'alice', 'secret');
         set pg_session_jwt.claims_fallback = on; set request.jwt.claims = '{\"sub\": \"bob\"}'; set role authenticated",
    );
    let hidden = "new row violates row-level security policy (USING expression) for table \"notes\"";
    let insert = "insert into notes as n values (1, 'bob') on conflict (id) do update set note = 'x'";
    rejects(client, insert, "42501", hidden);
    rejects(client, &format!("{insert} where n.note = 'secret'"), "42501", hidden);
    // Some releases of PostgreSQL evaluate the WHERE before the policy, and so tell that it is not true of the hidden row.
    if let Err(error) = client.batch_execute(&format!("{insert} where n.note = 'other'")) {
        assert_eq!(error.as_db_error().unwrap().message(), hidden);
    }
    // With the owner in the key no row of another user conflicts.
    let insert = "insert into own_notes as n values (1, 'alice') on conflict (owner, id) do update set note = 'x'";
    let other = "new row violates row-level security policy for table \"own_notes\"";
    rejects(client, &format!("{insert} where n.note = 'secret'"), "42501", other);
    rejects(client, &format!("{insert} where n.note = 'other'"), "42501", other);
    let own = insert.replace("'alice'", "'bob'");
    run(client, &format!("{own} where n.note = 'secret'"));
}
