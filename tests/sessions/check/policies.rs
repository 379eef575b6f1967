//! auth.check() and policies: those that favour anonymous sessions, those that are always true, and safe ones.

use postgres::Client;

use testkit::session::{rejects, run};

use crate::check::support::{Site, column, found, owned};

pub const TABLES: &str = "
    create table docs (id int, owner text, owner_id uuid, is_public bool, team int, members text[], note jsonb);
    create index on docs (owner); create index on docs (owner_id); create index on docs (id); create index on docs (team);
    alter table docs enable row level security;
    create table members (team int, user_id text, is_public bool); create index on members (user_id);
    alter table members enable row level security;
    create policy own on members for select to authenticated using (auth.user_id() = user_id);
    grant select, insert, update, delete on docs, members to authenticated;
    grant select on docs to anonymous;
    create function lax(text, int) returns bool stable language sql return $1 = 'x';
    create function strict(text, int) returns bool stable strict language sql return $1 = 'x';";

/// The finding for docs before it has a policy.
pub const WITHOUT_POLICY: [(&str, &str); 1] = [("rls_without_policy", "public.docs")];

/// A deployment with the tables above, and the findings for one policy on docs.
pub struct Docs(pub Site);

impl Docs {
    pub fn new() -> Docs {
        let mut site = Site::new();
        run(&mut site.admin, TABLES);
        assert_eq!(found(&mut site.admin), owned(&WITHOUT_POLICY));
        Docs(site)
    }

    #[track_caller]
    pub fn expects(&mut self, policy: &str, findings: &[&str]) {
        assert_found(&mut self.0.admin, policy, findings);
    }

    #[track_caller]
    pub fn reads(&mut self, using: &str, findings: &[&str]) {
        self.expects(&format!("for select to authenticated using ({using})"), findings);
    }
}

/// Asserts the findings for this policy on docs.
#[track_caller]
pub fn assert_found(admin: &mut Client, policy: &str, findings: &[&str]) {
    run(
        admin,
        &format!("drop policy if exists p on docs; create policy p on docs {policy}"),
    );
    let expected: Vec<_> = findings.iter().map(|finding| (*finding, "p ON public.docs")).collect();
    assert_eq!(found(admin), owned(&expected), "{policy}");
}

#[test]
fn conditions_nested_too_deeply_are_not_checked() {
    let mut docs = Docs::new();
    let nested = |levels: usize| {
        format!(
            "{}auth.user_id() = owner{}",
            "coalesce(".repeat(levels),
            ", false)".repeat(levels)
        )
    };
    docs.reads(&nested(90), &[]);
    docs.reads(&nested(210), &["not_checked"]);
    docs.reads(&nested(1000), &["not_checked"]);
}

#[test]
fn policies_for_writing_must_check_the_user() {
    let mut docs = Docs::new();
    let own = "auth.user_id() = owner";
    let open = "policy_write_open";
    for (policy, findings) in [
        (
            "to authenticated using (true)".to_owned(),
            vec!["policy_write_open", "policy_read_open"],
        ),
        ("using (true)".to_owned(), vec![open, "policy_read_open"]),
        ("for update to authenticated using (true)".to_owned(), vec![open]),
        ("for delete to authenticated using (true)".to_owned(), vec![open]),
        ("for insert to authenticated with check (true)".to_owned(), vec![open]),
        (
            format!("for update to authenticated using ({own}) with check (true)"),
            vec![open],
        ),
        (format!("to authenticated using ({own}) with check (true)"), vec![open]),
        (
            format!("to authenticated using (true) with check ({own})"),
            vec![open, "policy_read_open"],
        ),
        (
            format!("for update to authenticated using ({own}) with check (id > 0)"),
            vec!["policy_write_without_identity"],
        ),
        (
            "for insert to authenticated with check (id > 0)".to_owned(),
            vec!["policy_write_without_identity"],
        ),
        (
            "for update to authenticated using (auth.user_id() is not null)".to_owned(),
            vec!["policy_write_any_user"],
        ),
        (
            "for delete to authenticated using (auth.user_id() is null)".to_owned(),
            vec!["policy_open_without_identity"],
        ),
        // PostgreSQL checks new rows by USING where there is no WITH CHECK, and permits nothing where there is neither.
        (format!("to authenticated using ({own})"), vec![]),
        (format!("for update to authenticated using ({own})"), vec![]),
        (format!("for insert to authenticated with check ({own})"), vec![]),
        (
            "for insert to authenticated".to_owned(),
            vec!["policy_without_condition"],
        ),
        (
            "for select to authenticated".to_owned(),
            vec!["policy_without_condition"],
        ),
        (
            "as permissive for all to authenticated".to_owned(),
            vec!["policy_without_condition"],
        ),
        (format!("to authenticated with check ({own})"), vec![]),
        ("for insert to authenticated with check (false)".to_owned(), vec![]),
        (
            "for insert to authenticated with check (strict(owner, id))".to_owned(),
            vec![],
        ),
        (
            "for insert to authenticated with check (exists (select from members m where m.team = docs.team))"
                .to_owned(),
            vec![],
        ),
        (
            "for delete to authenticated using (auth.user_id() is not null and lax(owner, id))".to_owned(),
            vec![],
        ),
    ] {
        docs.expects(&policy, &findings);
    }
    // An expression that is always true, whatever it contains.
    docs.reads("auth.user_id() = owner or true", &["policy_read_open"]);
    docs.expects(
        "for delete to authenticated using (auth.user_id() = owner or true)",
        &[open],
    );
    // Only granted privileges count: anonymous may only read.
    docs.expects("to anonymous using (true)", &["policy_read_open"]);
    docs.expects("to anonymous using (is_public)", &[]);
    docs.expects("for select to anonymous using (auth.user_id() is null)", &[]);
    run(&mut docs.0.admin, "grant insert on docs to anonymous");
    let without = ["policy_write_without_identity"];
    docs.expects("for insert to anonymous with check (auth.user_id() is null)", &without);
    docs.expects("for insert to anonymous with check (is_public)", &without);
    docs.expects("for insert to anonymous with check (auth.user_id() = owner)", &[]);
    // Roles that no end user has do not count.
    run(
        &mut docs.0.admin,
        "drop policy p on docs; create policy p on docs to pg_read_all_data using (true)",
    );
    assert_eq!(found(&mut docs.0.admin), owned(&WITHOUT_POLICY));
}

#[test]
fn policies_without_a_clause_permit_nothing() {
    let mut docs = Docs::new();
    let client = &mut docs.0.admin;
    run(
        client,
        "insert into docs (owner) values ('alice'); create policy p on docs for select to authenticated;
                 create policy q on docs for insert to authenticated; set role authenticated",
    );
    assert_eq!(testkit::session::one::<i64>(client, "select count(*) from docs"), 0);
    let violates = "new row violates row-level security policy for table \"docs\"";
    rejects(client, "insert into docs (owner) values ('bob')", "42501", violates);
}

#[test]
fn restrictive_policies_count_where_they_apply() {
    let mut docs = Docs::new();
    let restrict = "drop policy if exists r on docs; create policy r on docs as restrictive";
    run(
        &mut docs.0.admin,
        &format!("{restrict} to authenticated using (auth.user_id() = owner)"),
    );
    let held = [("restrictive_policy", "r ON public.docs")];
    run(
        &mut docs.0.admin,
        "create policy p on docs to authenticated using (true)",
    );
    assert_eq!(found(&mut docs.0.admin), owned(&held));
    // It is for another role, for another command, or favours anonymous sessions itself.
    run(
        &mut docs.0.admin,
        &format!("{restrict} to anonymous using (auth.user_id() = owner)"),
    );
    let open = [
        ("policy_write_open", "p ON public.docs"),
        ("policy_read_open", "p ON public.docs"),
    ];
    assert_eq!(found(&mut docs.0.admin), owned(&open));
    run(
        &mut docs.0.admin,
        &format!("{restrict} for select to authenticated using (auth.user_id() = owner)"),
    );
    let open = [
        ("policy_write_open", "p ON public.docs"),
        ("restrictive_policy", "r ON public.docs"),
    ];
    assert_eq!(found(&mut docs.0.admin), owned(&open));
    run(
        &mut docs.0.admin,
        &format!("{restrict} using (auth.user_id() is null or auth.user_id() = owner)"),
    );
    let open = [
        ("policy_open_without_identity", "p ON public.docs"),
        ("restrictive_policy", "r ON public.docs"),
    ];
    assert_eq!(found(&mut docs.0.admin), owned(&open));
}

#[test]
fn restrictive_policies_that_are_always_true_hide_nothing() {
    let mut docs = Docs::new();
    run(
        &mut docs.0.admin,
        "create policy p on docs to authenticated using (true)",
    );
    for always in [
        "",
        "using (true)",
        "using (1 = 1)",
        "using (auth.user_id() = owner or id is null or id is not null)",
    ] {
        run(
            &mut docs.0.admin,
            &format!(
                "drop policy if exists r on docs; create policy r on docs as restrictive to authenticated {always}"
            ),
        );
        let open = [
            ("policy_write_open", "p ON public.docs"),
            ("policy_read_open", "p ON public.docs"),
        ];
        assert_eq!(found(&mut docs.0.admin), owned(&open), "{always}");
    }
}

#[test]
fn restrictive_policies_on_claims_of_users_do_not_narrow() {
    let mut docs = Docs::new();
    run(
        &mut docs.0.admin,
        "create policy p on docs for delete to authenticated using (true);
         create policy r on docs as restrictive to authenticated using (auth.jwt() -> 'user_metadata' ->> 'role' = 'admin')",
    );
    let claim = [
        ("policy_write_user_claim", "p ON public.docs"),
        ("restrictive_policy", "r ON public.docs"),
    ];
    assert_eq!(found(&mut docs.0.admin), owned(&claim));
    run(
        &mut docs.0.admin,
        "drop policy r on docs; create policy r on docs as restrictive to authenticated using (auth.role() = 'authenticated')",
    );
    let any_user = [
        ("policy_write_any_user", "p ON public.docs"),
        ("restrictive_policy", "r ON public.docs"),
    ];
    assert_eq!(found(&mut docs.0.admin), owned(&any_user));
}

#[test]
fn the_login_is_a_role_that_can_become_the_end_users() {
    let mut docs = Docs::new();
    run(
        &mut docs.0.admin,
        "create role gate noinherit nologin; grant authenticated to gate; create role elsewhere nologin",
    );
    docs.expects(
        "for delete to authenticated using (session_user = 'gate')",
        &["policy_write_open"],
    );
    docs.expects("for delete to authenticated using (session_user = 'elsewhere')", &[]);
    docs.expects("for delete to authenticated using (session_user = 'postgres')", &[]);
    run(&mut docs.0.admin, "drop policy p on docs; drop role gate, elsewhere");
}

#[test]
fn the_problem_names_the_clauses() {
    let mut docs = Docs::new();
    run(
        &mut docs.0.admin,
        "create policy p on docs to authenticated using (auth.user_id() = owner) with check (true)",
    );
    let problem = column(&mut docs.0.admin, "problem", "policy_write_open");
    let expected =
        "It is always true: any end user may write every row (WITH CHECK for INSERT, WITH CHECK for UPDATE).";
    assert_eq!(problem, expected);
}

#[test]
fn a_column_without_an_index_is_found_in_each_form() {
    let mut docs = Docs::new();
    let unindexed = owned(&[("policy_column_without_index", "public.docs (owner)")]);
    for using in [
        "auth.user_id() = owner",
        "owner = auth.user_id()",
        "(select auth.user_id()) = owner",
        "(select auth.user_id() = docs.owner)",
        "is_public and owner = (select auth.user_id())",
    ] {
        run(&mut docs.0.admin, "drop index docs_owner_idx");
        run(
            &mut docs.0.admin,
            &format!("create policy p on docs for select to authenticated using ({using})"),
        );
        assert_eq!(found(&mut docs.0.admin), unindexed, "{using}");
        for useless in [
            "create index i on docs (id, owner)",
            "create index i on docs (owner) where is_public",
        ] {
            run(&mut docs.0.admin, useless);
            assert_eq!(found(&mut docs.0.admin), unindexed, "{useless}");
            run(&mut docs.0.admin, "drop index i");
        }
        run(&mut docs.0.admin, "create index docs_owner_idx on docs (owner, id)");
        assert_eq!(found(&mut docs.0.admin), [], "{using}");
        run(&mut docs.0.admin, "drop policy p on docs");
    }
}
