//! Policies that PostgreSQL rejects with infinite recursion: the findings name exactly the commands that fail.

use postgres::Client;
use testkit::session::{one, rows, run};

use crate::check::support::{Site, column, found, owned};

const TABLES: &str = "
    reset role; drop schema if exists app cascade; create schema app; set search_path = app; grant usage on schema app to authenticated;
    create table docs (id int, owner text, team int); create index on docs (owner); alter table docs enable row level security;
    create table members (team int, user_id text); create index on members (user_id); alter table members enable row level security;
    insert into docs values (1, 'alice', 1); insert into members values (1, 'alice');
    grant select, insert, update, delete on docs to authenticated; grant select on members to authenticated;";

const ALL: &str = "DELETE, INSERT, SELECT, UPDATE";
const READING: &str = "DELETE, SELECT, UPDATE";

/// The commands on docs that fail with infinite recursion.
fn failing(client: &mut Client) -> String {
    run(
        client,
        "set pg_session_jwt.claims_fallback = on; set request.jwt.claims = '{\"sub\": \"alice\"}'; set role authenticated",
    );
    let commands = [
        ("DELETE", "delete from docs where id = 1"),
        ("INSERT", "insert into docs values (2, 'alice', 1)"),
        ("SELECT", "select id from docs"),
        ("UPDATE", "update docs set id = 1 where id = 1"),
    ];
    let mut failing = Vec::new();
    for (name, command) in commands {
        run(client, "begin");
        if let Err(error) = client.batch_execute(command) {
            let error = error.as_db_error().unwrap();
            // Functions that lead back fill the stack, and the message has a HINT about that.
            if ["42P17", "54001"].contains(&error.code().code()) {
                failing.push(name);
            }
        }
        run(client, "rollback");
    }
    run(
        client,
        "reset role; reset request.jwt.claims; reset pg_session_jwt.claims_fallback",
    );
    failing.join(", ")
}

/// The commands that the findings for policies of docs name.
fn named(client: &mut Client) -> String {
    let problem = "select split_part(problem, ' by ', 1) from auth.check()
                    where finding = 'policy_recursion' and object like '% ON app.docs'";
    let all: Vec<String> = rows(client, problem)
        .into_iter()
        .map(|row| row[0].clone().unwrap())
        .collect();
    let mut commands: Vec<&str> = all.iter().flat_map(|problem| problem.split(", ")).collect();
    commands.sort_unstable();
    commands.dedup();
    commands.join(", ")
}

#[track_caller]
fn expect(site: &mut Site, policies: &str, commands: &str) {
    let client = &mut site.admin;
    run(client, &format!("{TABLES} {policies}"));
    assert_eq!(failing(client), commands, "{policies}");
    assert_eq!(named(client), commands, "{policies}");
}

const OWN: &str = "auth.user_id() = owner";
const OF_TEAM: &str = "team in (select m.team from members m where m.user_id = auth.user_id())";

#[test]
fn policies_that_lead_back() {
    let mut site = Site::new();
    let itself = "exists (select from docs d where d.team = docs.team and d.owner = auth.user_id())";
    let members =
        "create policy m on members to authenticated using (exists (select from docs d where d.team = members.team))";
    for (policies, commands) in [
        (format!("create policy p on docs to authenticated using ({itself})"), ALL),
        (format!("create policy p on docs using ({itself})"), ALL),
        (
            format!("create policy p on docs for select to authenticated using ({itself}); create policy q on docs to authenticated using ({OWN})"),
            READING,
        ),
        (
            format!("create policy q on docs for select to authenticated using ((select auth.user_id()) = owner);
                     create policy p on docs for insert to authenticated with check ({itself})"),
            "INSERT",
        ),
        (
            format!("create policy q on docs for select to authenticated using ({itself}); create policy p on docs for insert to authenticated with check ({itself})"),
            "DELETE, INSERT, SELECT, UPDATE",
        ),
        (
            format!("create policy p on docs to authenticated using ({OWN}); create policy r on docs as restrictive to authenticated using ({itself})"),
            ALL,
        ),
        (format!("create policy p on docs to authenticated using ({OF_TEAM}); {members}"), ALL),
        (
            format!("create policy p on docs for delete to authenticated using ({OF_TEAM}); create policy q on docs for select to authenticated using ({OF_TEAM}); {members}"),
            READING,
        ),
        // docs leads to a circle that it is no part of.
        (
            format!("create policy p on docs to authenticated using ({OF_TEAM});
                     create policy m on members to authenticated using (exists (select from members n where n.team = members.team))"),
            ALL,
        ),
        (
            "create view v with (security_invoker) as select * from docs; grant select on v to authenticated;
             create policy p on docs to authenticated using (team in (select v.team from v))".to_owned(),
            ALL,
        ),
        (
            "create view v with (security_invoker) as select * from docs; create view w with (security_invoker) as select * from v;
             grant select on v, w to authenticated; create policy p on docs to authenticated using (team in (select w.team from w))".to_owned(),
            ALL,
        ),
        // The owner of a view that row-level security is forced on.
        (
            "alter table docs force row level security; create role holder; grant usage, create on schema app to holder; grant select on docs to holder;
             create view v as select team from docs; alter view v owner to holder; grant select on v to authenticated;
             create policy p on docs using (team in (select v.team from v))".to_owned(),
            ALL,
        ),
        (
            "create policy p on docs to authenticated using (id = (with d as (select max(id) from docs) select * from d))".to_owned(),
            ALL,
        ),
        (
            "create policy p on docs to authenticated using (true or exists (select from (select id from docs) d))".to_owned(),
            ALL,
        ),
    ] {
        expect(&mut site, &policies, commands);
        run(&mut site.admin, "drop schema app cascade; drop role if exists holder");
        run(&mut site.admin, "create schema app");
    }
}

#[test]
fn policies_that_lead_back_through_functions() {
    let mut site = Site::new();
    let policy = "create policy p on docs to authenticated using (may())";
    for (make, commands) in [
        ("create function may() returns bool language sql stable as 'select exists (select from docs d where d.owner = auth.user_id())'", ALL),
        ("create function may() returns bool language plpgsql stable as 'begin return exists (select from docs d where d.owner = auth.user_id()); end'", ALL),
        ("create function may() returns bool language sql stable begin atomic select exists (select from docs d where d.owner = auth.user_id()); end", ALL),
        ("create function seen() returns setof int language sql stable as 'select team from docs';
          create function may() returns bool language sql stable as 'select exists (select from seen())'", ALL),
        ("create view v with (security_invoker) as select * from docs; grant select on v to authenticated;
          create function may() returns bool language sql stable as 'select exists (select from v)'", ALL),
        ("create function admin() returns bool language sql stable as 'select exists (select from docs)';
          create policy m on members using (admin()); create function may() returns bool language sql stable as 'select exists (select from members)'", ALL),
    ] {
        expect(&mut site, &format!("{make}; {policy}"), commands);
    }
    let ask = "select problem from auth.check() where object = 'p ON app.docs' and finding = 'policy_recursion'";
    let problem: String = one(&mut site.admin, ask);
    let expected = "DELETE, INSERT, SELECT, UPDATE by authenticated fails at a row, because functions lead back until the stack is full: \
                    app.docs reads app.members reads app.docs.";
    assert_eq!(problem, expected);
    for make in [
        "create function may() returns bool language sql stable security definer as 'select exists (select from app.docs d where d.owner = auth.user_id())'",
        "create function may() returns bool language plpgsql stable security definer as 'begin return exists (select from app.docs); end'",
        "create function may() returns bool language sql stable as 'select exists (select from members m where m.user_id = auth.user_id())'",
        "create function may() returns bool language sql stable as 'select true -- exists (select from docs)'",
        "create view v as select * from docs; grant select on v to authenticated;
         create function may() returns bool language sql stable as 'select exists (select from v)'",
    ] {
        expect(&mut site, &format!("{make}; {policy}"), "");
    }
    // The function reads with the policies for SELECT.
    let may = "create function may() returns bool language sql stable as 'select exists (select from docs d where d.owner = auth.user_id())'";
    expect(
        &mut site,
        &format!(
            "{may}; create policy q on docs for select to authenticated using ({OWN}); create policy p on docs for insert to authenticated with check (may())"
        ),
        "",
    );
}

#[test]
fn policies_that_do_not_lead_back() {
    let mut site = Site::new();
    let itself = "exists (select from docs d where d.team = docs.team and d.owner = auth.user_id())";
    let mine = "create function mine() returns setof int language sql stable security definer set search_path = '' begin atomic
                select m.team from app.members m where m.user_id = auth.user_id(); end";
    for policies in [
        format!("create policy p on docs to authenticated using ({OWN})"),
        "create policy p on docs to authenticated using ((select auth.user_id()) = owner)".to_owned(),
        format!("create policy p on docs to authenticated using ({OF_TEAM}); create policy m on members to authenticated using (user_id = auth.user_id())"),
        format!("create policy p on docs to authenticated using ({OF_TEAM}); create policy m on members to authenticated using (user_id = (select auth.user_id()))"),
        // The inner table has no policy with a sub-select for SELECT.
        format!("create policy q on docs for select to authenticated using ({OWN}); create policy p on docs for insert to authenticated with check ({itself})"),
        // The policy is for another role, or for another command.
        format!("create policy p on docs to authenticated using ({OF_TEAM}); create policy m on members to anonymous using (exists (select from docs))"),
        format!("create policy p on docs to authenticated using ({OF_TEAM}); create policy m on members for update to authenticated using (exists (select from docs));
                 create policy n on members for select to authenticated using (auth.user_id() = user_id)"),
        // Only a restrictive policy: no row passes, and it is not evaluated.
        format!("create policy r on docs as restrictive to authenticated using ({itself})"),
        // Row-level security is off, or a function or a view bypasses it.
        format!("create policy p on docs to authenticated using ({OF_TEAM}); create policy m on members to authenticated using (exists (select from docs)); alter table members disable row level security"),
        format!("{mine}; create policy p on docs to authenticated using (team in (select mine())); create policy m on members to authenticated using (exists (select from docs))"),
        "create view v as select * from docs; grant select on v to authenticated; create policy p on docs to authenticated using (team in (select v.team from v))".to_owned(),
        format!("create materialized view v as select * from members; grant select on v to authenticated;
                 create policy p on docs to authenticated using (team in (select v.team from v)); create policy m on members to authenticated using ({OF_DOCS})"),
    ] {
        expect(&mut site, &policies, "");
        let finding = "select object from auth.check() where finding = 'policy_recursion'";
        assert_eq!(rows(&mut site.admin, finding), Vec::<Vec<Option<String>>>::new(), "{policies}");
    }
}

const OF_DOCS: &str = "exists (select from docs d where d.team = members.team)";

#[test]
fn a_view_whose_owner_cannot_read_it() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(
        client,
        &format!("{TABLES} create role holder; grant usage, create on schema app to holder; grant select on members to holder;
                  create policy p on docs to authenticated using ({OWN});
                  create policy m on members to holder using (exists (select from members n where n.team = members.team));
                  create view v as select * from members; alter view v owner to holder; grant select on v to authenticated;
                  revoke select on members from authenticated"),
    );
    assert_eq!(failing(client), "");
    assert_eq!(found(client), owned(&[("policy_recursion", "app.v")]));
    let problem = "SELECT by authenticated fails with infinite recursion: app.v reads app.members reads app.members.";
    assert_eq!(column(client, "problem", "policy_recursion"), problem);
    run(client, "set role authenticated");
    let error = client.batch_execute("select * from v").unwrap_err();
    assert_eq!(error.as_db_error().unwrap().code().code(), "42P17");
    run(client, "reset role; drop schema app cascade; create schema app");
}

#[test]
fn the_remedy_ends_the_recursion() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(
        client,
        &format!("{TABLES} create policy own on docs to authenticated using ({OWN});
                  create policy m on members for select to authenticated using (team in (select n.team from members n where n.user_id = auth.user_id()))"),
    );
    assert_eq!(found(client), owned(&[("policy_recursion", "m ON app.members")]));
    let problem = "SELECT by authenticated fails with infinite recursion: app.members reads app.members.";
    assert_eq!(column(client, "problem", "policy_recursion"), problem);
    run(
        client,
        "create schema private; create function private.my_teams() returns setof int language sql stable security definer set search_path = ''
         begin atomic select m.team from app.members m where m.user_id = auth.user_id(); end;
         drop policy m on members; create policy m on members for select to authenticated using (team in (select private.my_teams()))",
    );
    assert_eq!(found(client), []);
    run(
        client,
        "insert into members values (1, 'bob'), (2, 'carol'); set pg_session_jwt.claims_fallback = on;
                 set request.jwt.claims = '{\"sub\": \"alice\"}'; set role authenticated",
    );
    let seen = rows(client, "select user_id from members order by 1");
    assert_eq!(seen, [[Some("alice".to_owned())], [Some("bob".to_owned())]]);
}
