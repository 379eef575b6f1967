//! Views that hide rows, compared with what bob can do. With the one finding, a function of his in WHERE sees a secret of
//! alice's. With the other one, he can write a row of hers. Without them he can do neither.

use postgres::Client;
use testkit::session::{one, run};

use crate::check::support::{Site, column, found, owned};

const TABLES: &str = "
    reset role; reset request.jwt.claims; drop schema if exists app cascade; create schema app; set search_path = app;
    grant usage on schema app to authenticated;
    create table notes (id int, owner text default (auth.user_id()), team int, secret text, is_public bool default true);
    insert into notes values (1, 'alice', 1, 'of alice'), (2, 'bob', 2, 'of bob');
    create table members (team int, user_id text); insert into members values (1, 'alice'), (2, 'bob');
    create table docs (like notes including all); insert into docs select * from notes; create index on docs (owner);
    alter table docs enable row level security; grant select, insert, update on docs to authenticated;
    create policy own on docs to authenticated using (auth.user_id() = owner);
    create function me() returns text language sql stable as 'select auth.user_id()';
    create view my_teams with (security_barrier) as select team from members where user_id = auth.user_id();
    create or replace function pg_temp.see(value text) returns bool language plpgsql immutable cost 0.0000001 as $$
        begin perform set_config('app.seen', current_setting('app.seen', true) || value, false); return true; end $$;
    set app.seen = '';";

fn become_bob(client: &mut Client) {
    run(
        client,
        "set pg_session_jwt.claims_fallback = on; set request.jwt.claims = '{\"sub\": \"bob\"}'; set role authenticated",
    );
}

fn become_admin(client: &mut Client) {
    run(
        client,
        "reset role; reset request.jwt.claims; reset pg_session_jwt.claims_fallback",
    );
}

/// Whether a function in WHERE sees the secret of alice. Bob may forbid plans that look up his own rows in the index, which
/// PostgreSQL 19 prefers.
fn is_seen(client: &mut Client) -> bool {
    run(
        client,
        "set app.seen = ''; set enable_indexscan = off; set enable_bitmapscan = off",
    );
    become_bob(client);
    run(client, "select count(*) from v where pg_temp.see(secret::text)");
    become_admin(client);
    one::<String>(client, "select current_setting('app.seen')").contains("of alice")
}

/// Asserts that the function sees the secret, and that there are these findings; and neither after the remedy.
#[track_caller]
fn shows(site: &mut Site, views: &str, findings: &[&str]) {
    let client = &mut site.admin;
    run(client, &format!("{TABLES} {views}; grant select on v to authenticated"));
    let expected: Vec<_> = findings.iter().map(|finding| (*finding, "app.v")).collect();
    assert_eq!(is_seen(client), !findings.is_empty(), "{views}");
    assert_eq!(found(client), owned(&expected), "{views}");
    if !findings.is_empty() {
        let remedy = column(client, "remedy", "view_without_barrier");
        assert_eq!(remedy, "ALTER VIEW app.v SET (security_barrier = true);");
        run(client, &remedy);
        assert!(!is_seen(client), "{views}");
        let rest: Vec<_> = expected
            .into_iter()
            .filter(|it| it.0 != "view_without_barrier")
            .collect();
        assert_eq!(found(client), owned(&rest), "{views}");
    }
}

#[test]
fn views_whose_condition_is_no_barrier() {
    let mut site = Site::new();
    let own = "select * from notes where owner = auth.user_id()";
    for view in [
        format!("create view v as {own}"),
        "create view v as select * from notes where owner = (select auth.user_id())".to_owned(),
        "create view v as select * from notes where owner = me()".to_owned(),
        "create view v as select * from notes where is_public and auth.session() ->> 'sub' = owner".to_owned(),
        "create view v as select * from notes where owner = current_setting('request.jwt.claims')::json ->> 'sub'".to_owned(),
        "create view v as select n.* from notes n where exists (select from members m where m.team = n.team and m.user_id = auth.user_id())"
            .to_owned(),
        "create view v as select n.* from notes n join members m on m.team = n.team and m.user_id = auth.user_id()".to_owned(),
        "create view v as select n.* from notes n join my_teams t on t.team = n.team".to_owned(),
        "create view v as select n.* from notes n where team in (select team from my_teams)".to_owned(),
        "create view v as select n.* from notes n join (select me() as id) i on i.id = n.owner".to_owned(),
        "create view v as select n.* from notes n join auth.user_id() u on u = n.owner".to_owned(),
        format!("create view v as {own} union {own}"),
        format!("create view v as with n as ({own}) select * from n"),
        format!("create view v as select n.* from ({own}) n"),
        "create view v as with i as materialized (select me() as id) select n.* from notes n join i on i.id = n.owner".to_owned(),
        "create view v as select n.* from (select *, owner = auth.user_id() as is_mine from notes) n where is_mine".to_owned(),
        "create view v as select secret, count(*) from notes where owner = auth.user_id() group by secret".to_owned(),
        "create view v as select distinct secret from notes where owner = auth.user_id()".to_owned(),
        format!("create view w as {own}; create view v as select * from w"),
        format!("create view w as {own}; create view x as select * from w; create view v as select * from x where is_public"),
    ] {
        shows(&mut site, &view, &["view_without_barrier"]);
    }
    // PostgreSQL ignores the barrier of a UNION ALL.
    let client = &mut site.admin;
    for options in ["", "with (security_barrier)"] {
        run(
            client,
            &format!("{TABLES} create view v {options} as {own} union all {own}; grant select on v to authenticated"),
        );
        assert!(is_seen(client));
        assert_eq!(found(client), owned(&[("view_without_barrier", "app.v")]));
        let advice =
            "Put each part of its UNION ALL into a view with security_barrier, which has no effect on UNION ALL.";
        assert_eq!(column(client, "remedy", "view_without_barrier"), advice);
        run(
            client,
            &format!(
                "create view w with (security_barrier) as {own}; create or replace view v as select * from w union all select * from w"
            ),
        );
        assert!(!is_seen(client));
        assert_eq!(found(client), []);
        run(client, "alter view w reset (security_barrier)");
        assert!(is_seen(client));
        assert_eq!(
            column(client, "remedy", "view_without_barrier"),
            "ALTER VIEW app.w SET (security_barrier = true);"
        );
    }
    // Row-level security does not apply to the owner: both findings are true.
    let both = ["view_bypasses_rls", "view_without_barrier"];
    shows(
        &mut site,
        "create view v as select * from docs where owner = auth.user_id()",
        &both,
    );
}

#[test]
fn views_that_show_no_hidden_rows() {
    let mut site = Site::new();
    let own = "select * from notes where owner = auth.user_id()";
    for view in [
        format!("create view v with (security_barrier) as {own}"),
        "create view v with (security_invoker) as select * from docs".to_owned(),
        "create view v with (security_invoker) as select * from docs where owner = auth.user_id()".to_owned(),
        "create view v with (security_invoker) as select * from docs where owner = me()".to_owned(),
        format!("create view w as {own}; create view v with (security_barrier) as select * from w"),
        format!("create view w with (security_barrier) as {own}; create view v as select * from w"),
        format!("create view w with (security_barrier) as {own}; create view v as select * from w where is_public"),
        format!("create view v as {own} offset 0"),
        format!("create view v as {own} limit 10"),
        format!("create view v as with n as materialized ({own}) select * from n"),
        "create view v as select n.* from (select is_public, case when owner = auth.user_id() then secret end as secret from notes) n
         where is_public"
            .to_owned(),
        "create view v as select count(*) as secret from notes where owner = auth.user_id()".to_owned(),
        "create view v as select id, case when owner = auth.user_id() then secret end as secret from notes".to_owned(),
        "create view v as select auth.user_id() as secret".to_owned(),
        "alter table docs force row level security; create role holder; grant usage, create on schema app to holder;
         grant select on docs to holder; create policy held on docs to holder using (auth.user_id() = owner);
         create view v as select * from docs where owner = auth.user_id(); alter view v owner to holder"
            .to_owned(),
    ] {
        shows(&mut site, &view, &[]);
    }
    // End users cannot access the view.
    run(&mut site.admin, &format!("{TABLES} create view v as {own}"));
    assert_eq!(found(&mut site.admin), []);
}

/// Whether bob can write a row that the view does not show.
fn is_written(client: &mut Client, write: &str) -> bool {
    become_bob(client);
    let before: i64 = one(client, "select count(*) from v");
    let written = client.batch_execute(&format!("begin; {write}"));
    let hidden = written.is_ok() && {
        let after: i64 = one(client, "select count(*) from v");
        after != before + i64::from(write.starts_with("insert"))
    };
    run(client, "rollback");
    become_admin(client);
    hidden
}

#[track_caller]
fn writes(site: &mut Site, views: &str, write: &str, is_found: bool) {
    let client = &mut site.admin;
    run(client, &format!("{TABLES} {views}; grant select on v to authenticated"));
    assert_eq!(is_written(client, write), is_found, "{views}");
    let expected = [("view_without_check_option", "app.v")];
    assert_eq!(found(client), owned(if is_found { &expected } else { &[] }), "{views}");
    if is_found {
        let remedy = column(client, "remedy", "view_without_check_option");
        assert_eq!(remedy, "ALTER VIEW app.v SET (check_option = cascaded);");
        run(client, &remedy);
        assert!(!is_written(client, write), "{views}");
        assert_eq!(found(client), [], "{views}");
    }
}

const OWN: &str = "as select id, owner, secret, is_public from notes where owner = auth.user_id()";
const INSERT: &str = "insert into v (id, owner) values (9, 'alice')";
const UPDATE: &str = "update v set owner = 'alice'";

#[test]
fn views_that_write_hidden_rows() {
    let mut site = Site::new();
    let v = "create view v with (security_barrier)";
    for (views, write) in [
        (format!("{v} {OWN}; grant insert on v to authenticated"), INSERT),
        (format!("{v} {OWN}; grant update on v to authenticated"), UPDATE),
        (format!("{v} {OWN}; grant insert (id, owner) on v to authenticated"), INSERT),
        (format!("{v} {OWN}; grant update (owner) on v to authenticated"), UPDATE),
        (
            format!("{v} as select id, owner from notes where owner = (select me()); grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("{v} as select id, owner as whose from notes where owner = auth.user_id(); grant insert on v to authenticated"),
            "insert into v (id, whose) values (9, 'alice')",
        ),
        (
            format!("{v} as select id, team from notes n where exists (select from members m where m.team = n.team and m.user_id = auth.user_id());
                     grant insert on v to authenticated"),
            "insert into v (id, team) values (9, 1)",
        ),
        (
            format!("{v} as select id, is_public from notes where is_public; grant update on v to authenticated"),
            "update v set is_public = false",
        ),
        (
            format!("create view w {OWN}; {v} as select * from w; grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("create view w {OWN}; create view v with (security_barrier, check_option = local) as select * from w where is_public;
                     grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("create view w with (check_option = local) as select * from notes where is_public;
                     {v} as select id, owner from w where owner = auth.user_id(); grant insert on v to authenticated"),
            INSERT,
        ),
    ] {
        writes(&mut site, &views, write, true);
    }
}

#[test]
fn views_that_write_no_hidden_rows() {
    let mut site = Site::new();
    let v = "create view v with (security_barrier)";
    for (views, write) in [
        (format!("create view v with (security_barrier, check_option = cascaded) {OWN}; grant insert on v to authenticated"), INSERT),
        (format!("create view v with (security_barrier, check_option = local) {OWN}; grant update on v to authenticated"), UPDATE),
        (format!("{v} {OWN} with check option; grant insert on v to authenticated"), INSERT),
        (
            format!("create view w with (check_option = cascaded) {OWN}; {v} as select * from w; grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("create view w {OWN}; create view v with (security_barrier, check_option = cascaded) as select * from w;
                     grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("{v} as select id, secret from notes where owner = auth.user_id(); grant insert on v to authenticated"),
            "insert into v (id) values (9)",
        ),
        (format!("{v} {OWN}; grant insert (id, secret) on v to authenticated"), "insert into v (id) values (9)"),
        (format!("{v} {OWN}; grant insert (id, secret) on v to authenticated"), INSERT),
        (format!("{v} as select id, owner from notes; grant insert on v to authenticated"), INSERT),
        (format!("{v} {OWN}; grant delete on v to authenticated"), INSERT),
        (
            "create view v with (security_invoker) as select id, owner from docs where owner = auth.user_id(); grant insert on v to authenticated"
                .to_owned(),
            INSERT,
        ),
        (
            format!("{v} as select distinct id, owner from notes where owner = auth.user_id(); grant insert on v to authenticated"),
            INSERT,
        ),
        (
            format!("{v} {OWN}; create function own() returns trigger language plpgsql as 'begin return null; end';
                     create trigger t instead of insert on v for each row execute function own(); grant insert on v to authenticated"),
            "insert into v (id) values (9); update v set id = id",
        ),
    ] {
        if views.contains("instead of") {
            run(&mut site.admin, &format!("{TABLES} {views}"));
            assert_eq!(found(&mut site.admin), [], "{views}");
        } else {
            writes(&mut site, &views, write, false);
        }
    }
}
