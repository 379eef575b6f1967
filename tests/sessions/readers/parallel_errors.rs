//! Errors of a leader occur in its workers, with the same message.

use testkit::messages;
use testkit::server::Server;
use testkit::session::{Proxy, init, now, one, rejection, rejects, run, user_id};

use crate::support::parallel::{SERVER, agrees_with_the_leader, database, fill, leader_takes_part};

#[test]
fn expired_identity_is_the_same_error_in_a_worker() {
    // Expired for the leader is expired for its workers.
    let mut proxy = Proxy::new();
    let database = database("");
    let mut client = proxy.session_on(&SERVER, &database);
    let exp = now() - 30;
    init(&mut client, &proxy.token(&format!(r#""sub":"alice","exp":{exp}"#)));
    agrees_with_the_leader(&mut client);
    run(&mut client, "set pg_session_jwt.leeway = 0");
    rejects(&mut client, "select auth.user_id()", "28000", messages::EXPIRED);
    for takes_part in [true, false] {
        leader_takes_part(&mut client, takes_part);
        rejects(
            &mut client,
            "select auth.user_id() from owned",
            "28000",
            messages::EXPIRED,
        );
        rejects(
            &mut client,
            "select count(*) from owned where user_id = auth.user_id()",
            "28000",
            messages::EXPIRED,
        );
    }
    let error = client.batch_execute("select auth.user_id() from owned").unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.where_(), Some("parallel worker"));
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with(&format!("exp={exp}, now=")) && detail.ends_with(", leeway=0"),
        "{detail}"
    );
    run(&mut client, "set role authenticated");
    rejects(&mut client, "select count(*) from owned", "28000", messages::EXPIRED);
    run(&mut client, "reset role; set pg_session_jwt.leeway = 60");
    agrees_with_the_leader(&mut client);
}

#[test]
fn bad_startup_token_is_the_same_error_in_a_worker() {
    let proxy = Proxy::new();
    let database = database("");
    for (token, message) in [
        (Proxy::new().token_of("bob"), messages::INVALID_SIGNATURE),
        (proxy.raw(r#"{"jti":1,"sub":7}"#), messages::SUB_NOT_A_STRING),
        ("nonsense".to_owned(), messages::INVALID_ENCODING),
    ] {
        let options = format!("{} -c pg_session_jwt.jwt={token}", proxy.options());
        let mut client = SERVER.connect(&database, "postgres", &options);
        leader_takes_part(&mut client, false);
        let in_worker = rejection(&mut client, "select count(*) from owned where user_id = auth.user_id()");
        let in_leader = rejection(&mut client, "select auth.user_id()");
        assert_eq!(
            (in_worker.sqlstate.as_str(), in_worker.message.as_str()),
            ("28000", message)
        );
        assert_eq!(in_worker, in_leader);
    }
}

#[test]
fn unusable_key_is_the_same_error_in_a_worker() {
    let database = database("");
    let claims = r#"-c request.jwt.claims={"sub":"alice"}"#;
    for (options, before, message) in [
        (
            format!("-c pg_session_jwt.jwk=x {claims}"),
            "select 1",
            messages::unusable("jwk", messages::NOT_A_KEY),
        ),
        (
            claims.to_owned(),
            "set pg_session_jwt.jwk = 'x'",
            messages::JWK_NOT_APPLIED.to_owned(),
        ),
    ] {
        let mut client = SERVER.connect(&database, "postgres", &options);
        run(&mut client, before);
        leader_takes_part(&mut client, false);
        let in_worker = rejection(&mut client, "select count(*) from owned where user_id = auth.user_id()");
        let in_leader = rejection(&mut client, "select auth.user_id()");
        assert_eq!(in_worker, in_leader);
        assert_eq!(in_leader.message, message);
    }
}

#[test]
fn workers_agree_after_the_key_left_the_servers_file() {
    let proxy = Proxy::new();
    let server = Server::start(&format!(
        "shared_preload_libraries = 'pg_session_jwt'\nmax_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\n\
         parallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0\npg_session_jwt.jwk = '{}'",
        proxy.jwk()
    ));
    let database = server.database();
    fill(&mut server.connect(&database, "postgres", ""));
    let claims = r#"-c request.jwt.claims={"sub":"mallory"}"#;
    let mut anonymous = server.connect(&database, "postgres", claims);
    let mut alice = server.connect(&database, "postgres", claims);
    init(&mut alice, &proxy.token_with_jti(1, r#""sub":"alice""#));
    agrees_with_the_leader(&mut alice);
    agrees_with_the_leader(&mut anonymous);
    run(&mut alice, "alter system reset pg_session_jwt.jwk");
    run(&mut alice, "select pg_reload_conf()");
    let read = |_: &i32| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        one::<String>(
            &mut server.connect(&database, "postgres", ""),
            "show pg_session_jwt.jwk",
        )
        .is_empty()
    };
    assert!((0..500).any(|attempt| read(&attempt)), "the file is not read");
    assert_eq!(user_id(&mut alice).as_deref(), Some("alice"));
    assert_eq!(user_id(&mut anonymous), None);
    agrees_with_the_leader(&mut alice);
    agrees_with_the_leader(&mut anonymous);
}
