//! auth.check() and policies that read a table whose policies read another one, and so on: up to 500 tables.

use testkit::session::{rows, run};

use crate::check::support::{Site, found, owned};

/// Tables from `r0` on, of which the first `count` have a policy that reads the next one.
fn tables(count: usize) -> String {
    format!(
        "do $$ begin for i in reverse {count}..0 loop
             execute format('create table r%s (owner text)', i);
             execute format('create index on r%s (owner)', i);
             execute format('alter table r%s enable row level security', i);
             if i = {count} then
                 execute format('create policy p on r%s to authenticated using (auth.user_id() = owner)', i);
             else
                 execute format('create policy p on r%s to authenticated using (auth.user_id() = owner and exists (select from r%s))', i, i + 1);
             end if;
         end loop; end $$; grant select on r0 to authenticated"
    )
}

/// attack: 142
#[test]
fn policies_at_the_limit_of_tables_and_over_it() {
    let mut site = Site::new();
    let client = &mut site.admin;
    run(client, "set statement_timeout = '30s'");
    run(client, &tables(500));
    assert_eq!(found(client), []);
    // All of them, and each command.
    run(
        client,
        "grant select, insert, update, delete on all tables in schema public to authenticated",
    );
    assert_eq!(found(client), []);
    run(
        client,
        "create policy more on r500 to authenticated using (owner = auth.user_id() and exists (select from todos))",
    );
    assert_eq!(found(client), owned(&[("not_checked", "p ON public.r0")]));
    let problem = "select problem from auth.check() where finding = 'not_checked'";
    let expected = "It leads through more than 500 tables and views, so it is not followed to its end.";
    assert_eq!(rows(client, problem), [[Some(expected.to_owned())]]);
    // What leads back within the limit is found.
    run(
        client,
        "drop policy more on r500; create policy more on r500 to authenticated using (exists (select from r499))",
    );
    let recursive: Vec<String> = rows(
        client,
        "select object from auth.check() where finding = 'policy_recursion'",
    )
    .into_iter()
    .flatten()
    .flatten()
    .collect();
    assert_eq!(recursive.len(), 501);
}
