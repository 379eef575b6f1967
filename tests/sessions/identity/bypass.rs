//! auth.status() of a session that has an identity, and that no policy restricts.

use testkit::server::SHARED;
use testkit::session::{Proxy, init, one, run};

const WARNING: &str = "select warning from auth.status()";

#[test]
fn status_warns_where_no_policy_applies() {
    let database = SHARED.database();
    let mut proxy = Proxy::new();
    let mut client = SHARED.connect(&database, "postgres", &proxy.options());
    let (plain, past) = (format!("{database}_plain"), format!("{database} Über"));
    run(
        &mut client,
        &format!(
            "create role \"{plain}\"; create role \"{past}\" bypassrls; create table docs (owner text);
             grant select on docs to public; alter table docs enable row level security;
             create policy own on docs using (auth.user_id() = owner); insert into docs values ('alice'), ('bob')"
        ),
    );
    // Without an identity there is nothing to warn of.
    assert_eq!(one::<Option<String>>(&mut client, WARNING), None);
    init(&mut client, &proxy.token_of("alice"));
    let superuser = "role postgres is a superuser: no policy restricts this session";
    let bypass = format!("role {past} has BYPASSRLS: no policy restricts this session");
    for (role, warning, rows) in [
        ("none", Some(superuser), 2),
        (&plain, None, 1),
        (&past, Some(&*bypass), 2),
        (&plain, None, 1),
        ("none", Some(superuser), 2),
    ] {
        let role = if role == "none" {
            "none".to_owned()
        } else {
            format!("\"{role}\"")
        };
        run(&mut client, &format!("set role {role}"));
        assert_eq!(
            one::<Option<String>>(&mut client, WARNING).as_deref(),
            warning,
            "{role}"
        );
        // The rows agree.
        assert_eq!(one::<i64>(&mut client, "select count(*) from docs"), rows, "{role}");
    }
    // A member of a role with BYPASSRLS has not the attribute.
    run(
        &mut client,
        &format!("grant \"{past}\" to \"{plain}\"; set role \"{plain}\""),
    );
    assert_eq!(one::<Option<String>>(&mut client, WARNING), None);
    assert_eq!(one::<i64>(&mut client, "select count(*) from docs"), 1);
    run(&mut client, "reset role; drop table docs");
    run(&mut client, &format!("drop role \"{plain}\", \"{past}\""));
}
