//! Policies that read a setting by a function, which any SQL can set: bob sets it, and deletes alice's row.

use testkit::session::{one, run};

use crate::check::stable_names::TABLE;
use crate::check::support::{Site, column, found};

const POLICY: &str =
    "grant delete on docs to authenticated; create policy p on docs to authenticated using (owner = me())";

/// Whether a user who sets everything that the functions read deletes alice's row.
fn deletes_row_of_alice(site: &mut Site) -> bool {
    let client = &mut site.admin;
    run(
        client,
        "begin; set local request.jwt.claims = '{\"sub\": \"alice\"}'; set local app.tenant = 'alice';
         set local timezone = 'UTC'; set local role authenticated",
    );
    let deleted: i64 = one(
        client,
        "with gone as (delete from docs returning owner) select count(*) from gone where owner = 'alice'",
    );
    run(client, "rollback");
    deleted == 1
}

#[test]
fn settings_that_functions_read_are_found() {
    let mut site = Site::new();
    for functions in [
        "create function me() returns text stable language sql
             as $$ select nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '') $$",
        "create function me() returns text stable language sql
             return current_setting('request.jwt.claims', true)::json ->> 'sub'",
        "create function me() returns text stable language plpgsql
             as $$ begin return current_setting('app.tenant', true); end $$",
        "create function me() returns text stable language plpgsql
             as $$ declare it text; begin it := current_setting('app' || '.tenant'); return it; end $$",
        "create function tenant() returns text stable language sql as $$ select current_setting('app.tenant') $$;
         create function me() returns text stable language sql as $$ select coalesce(app.tenant(), 'x') $$",
        "create function me() returns text stable language plpgsql
             as $$ declare it text; begin execute 'select current_setting(''app.tenant'')' into it; return it; end $$",
    ] {
        run(&mut site.admin, &format!("{TABLE} {functions}; {POLICY}"));
        assert!(deletes_row_of_alice(&mut site), "{functions}");
        let expected = ("policy_reads_setting".to_owned(), "p ON app.docs".to_owned());
        assert_eq!(found(&mut site.admin), [expected], "{functions}");
        assert_eq!(
            column(&mut site.admin, "problem", "policy_reads_setting"),
            "It calls app.me(), which reads a setting that any SQL can set.",
        );
    }
}

#[test]
fn other_functions_are_not_found() {
    let mut site = Site::new();
    for functions in [
        "create function me() returns text stable language sql as $$ select auth.user_id() $$",
        "create function me() returns text stable language sql
             as $$ select case current_setting('TimeZone') when 'x' then 'y' else auth.user_id() end $$",
        "create function me() returns text stable language plpgsql
             as $$ begin /* current_setting('app.tenant') */ return auth.user_id(); end $$",
        "create function me() returns text stable language sql as $$ select auth.user_id() $$;
         create function other() returns text stable language sql as $$ select current_setting('app.tenant') $$",
    ] {
        run(&mut site.admin, &format!("{TABLE} {functions}; {POLICY}"));
        assert!(!deletes_row_of_alice(&mut site), "{functions}");
        assert_eq!(found(&mut site.admin), [], "{functions}");
    }
}
