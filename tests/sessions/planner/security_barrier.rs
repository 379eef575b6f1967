//! A user's leaky function in a condition does not get the rows of others, however low its declared cost.

use postgres::Client;
use testkit::server::SHARED;
use testkit::session::{one, rows, run};

use super::support::{ALICE, DRIZZLE, database, optimize, plan, set_policy, uses_index};

/// Functions of the attacker that store their argument, put it into an error, or are declared harmless to the planner.
const ATTACKER: &str = "create schema mallory authorization mallory;
    set session authorization mallory;
    create table mallory.leaked (user_id text);
    create function mallory.keep(seen text) returns boolean language plpgsql cost 0.0000001 security definer as
        'begin insert into mallory.leaked values (seen); return true; end';
    create function mallory.tell(seen text) returns boolean language plpgsql cost 0.0000001 immutable parallel safe as
        $$begin if seen <> '6f4d2f0a-5b7e-4c8e-9d51-0123456789ab' then raise exception 'saw %', seen; end if;
          return true; end$$;
    create function mallory.equal(seen text, text) returns boolean language plpgsql cost 0.0000001 immutable as
        'begin return mallory.tell(seen); end';
    create operator mallory.=== (leftarg = text, rightarg = text, function = mallory.equal,
        restrict = eqsel, join = eqjoinsel, hashes, merges);
    reset session authorization";

const CONDITIONS: [&str; 6] = [
    "mallory.keep(t.user_id)",
    "mallory.tell(t.user_id)",
    "t.user_id operator(mallory.===) ''",
    "(mallory.tell(t.user_id) or (select auth.user_id() = t.user_id))",
    "(select mallory.tell(t.user_id) and auth.user_id() = t.user_id)",
    "(select auth.user_id() = t.user_id) and mallory.keep(t.user_id) and mallory.tell(t.user_id)",
];

fn attacked() -> Client {
    let mut client = SHARED.connect(&database(), "postgres", "");
    run(
        &mut client,
        "do $$begin create role mallory in role authenticated; exception when duplicate_object then end$$;
         create view shut with (security_barrier, security_invoker) as select * from todos;
         create view own with (security_barrier) as select * from notes where (select auth.user_id() = user_id);
         grant all on shut, own to authenticated",
    );
    run(&mut client, ATTACKER);
    set_policy(&mut client, DRIZZLE);
    run(
        &mut client,
        &format!(r#"set role mallory; set request.jwt.claims = '{{"sub":"{ALICE}"}}'"#),
    );
    // Loads the library, which is not preloaded here.
    run(&mut client, "select auth.user_id()");
    client
}

/// Runs every statement with every condition, and asserts that the functions got only the user's own rows.
fn attack(client: &mut Client) {
    for statement in [
        "select count(*) from todos t where ",
        "select count(*) from notes n join todos t on n.todo = t.id and ",
        "select count(*) from shut t where ",
        "select count(*) from own t where ",
        "update todos t set task = task where ",
        "update own t set todo = todo where ",
        "delete from todos t where ",
        "delete from own t where ",
        "with d as (delete from shut t returning *) select * from d t where ",
    ] {
        for condition in CONDITIONS {
            run(client, &format!("begin; {statement}{condition}"));
            let leaked = rows(client, "select distinct user_id from mallory.leaked");
            let expected = usize::from(condition.contains("keep"));
            assert_eq!(
                leaked,
                vec![vec![Some(ALICE.to_owned())]; expected],
                "{statement}{condition}"
            );
            run(client, "rollback");
        }
    }
}

#[test]
fn a_leaky_function_does_not_see_the_rows_of_others() {
    let mut client = attacked();
    for with_index in [true, false] {
        if !with_index {
            let drop = "drop index todos_user_id_idx, notes_user_id_idx";
            run(&mut client, &format!("reset role; {drop}; set role mallory"));
        }
        for on in [true, false] {
            optimize(&mut client, on);
            let plan = plan(&mut client, "select id from todos t where mallory.tell(t.user_id)");
            assert_eq!(uses_index(&plan), on && with_index, "{plan}");
            attack(&mut client);
        }
    }
    // The functions do reveal rows where no policy prevents it.
    run(&mut client, "reset role");
    let unguarded = client.batch_execute("select from todos t where mallory.tell(t.user_id)");
    assert!(
        unguarded
            .unwrap_err()
            .as_db_error()
            .unwrap()
            .message()
            .starts_with("saw ")
    );
    run(&mut client, "select from todos t where mallory.keep(t.user_id)");
    let leaked = "select count(distinct user_id) from mallory.leaked";
    assert_eq!(one::<i64>(&mut client, leaked), 19_981);
}
