//! The library is removed while objects that use it remain.

use testkit::session::{rejection, run};

use super::deployment::session_init;
use super::ways::in_every_way;

/// attack: 129
#[test]
fn without_the_library_no_rows_are_visible() {
    in_every_way(|deployment| {
        run(
            &mut deployment.admin(),
            "update pg_proc set probin = '$libdir/pg_session_jwt_gone' where pronamespace = 'auth'::regnamespace",
        );
        let mut client = deployment.anyone();
        for sql in [
            "select auth.user_id()",
            "select * from public.todos",
            "insert into public.todos (task) values ('x')",
            "update public.todos set task = 'x'",
            "delete from public.todos",
            &session_init("mallory"),
        ] {
            assert_eq!(rejection(&mut client, sql).sqlstate, "58P01", "{sql}");
        }
    });
}
