//! `pg_session_jwt.identity_scope = transaction`: HTTP works with it, and WebSockets with a token do not.

use serde_json::json;
use testkit::session::run;

use crate::running::Gateway;
use crate::websocket::{Socket, row, session, start};
use crate::{ALICE, SERVER, database, token};

#[test]
fn websockets_need_an_identity_of_the_session() {
    let database = database();
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let mut open = session(&gateway, ALICE);
    run(
        &mut SERVER.connect("postgres", "postgres", ""),
        &format!("alter database {database} set pg_session_jwt.identity_scope = transaction"),
    );
    let alice = token(ALICE, 600);
    let mut rejected = Socket::open(&gateway);
    rejected.send(&start("authenticated", &alice, &[]));
    assert_eq!(rejected.rows(), Err("55000".to_owned()));
    // The session from before has become anonymous. It can present a token for a transaction.
    assert_eq!(open.query("select auth.user_id() is null"), Ok(row(&["t"])));
    let local = format!("begin; select auth.jwt_session_init('{alice}', true)");
    assert_eq!(open.query(&local), Ok(row(&[""])));
    assert_eq!(open.query("select auth.user_id(); commit"), Ok(row(&[ALICE])));
    let mut visitor = Socket::open(&gateway);
    visitor.send(&start("anonymous", "", &[]));
    assert_eq!(visitor.rows(), Ok(vec![]));
    assert_eq!(visitor.query("select auth.user_id() is null"), Ok(row(&["t"])));
    assert_eq!(gateway.with(&alice).rows("select auth.user_id()"), json!([[ALICE]]));
}
