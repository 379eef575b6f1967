//! auth.check() and the settings: modes, providers, and the tokens that the server writes.

use testkit::key_server::{Answer, KeyServer};
use testkit::provider::Provider;
use testkit::server::{SHARED, Server, major, pg_config};
use testkit::session::{Proxy, one, run};

use crate::check::support::{Site, column, conf_with_proxy, found, owned};

#[test]
fn the_claims_mode_is_right_only_behind_a_gateway() {
    let mut site = Site::new();
    let claims = [("claims_mode", "pg_session_jwt.claims_fallback")];
    site.finds(
        "set pg_session_jwt.claims_fallback = on",
        &claims,
        "set pg_session_jwt.claims_fallback = off",
    );
    // A key from the startup packet disables it for that connection only.
    let proxied = Server::start(&conf_with_proxy());
    let mut client = Proxy::new().session_on(&proxied, "template1");
    run(&mut client, "set pg_session_jwt.claims_fallback = on");
    assert_eq!(found(&mut client), owned(&claims));
    // A direct login can adopt any identity.
    run(
        &mut site.admin,
        "alter role anonymous login; set pg_session_jwt.claims_fallback = on",
    );
    let forgeable = [
        ("identity_forgeable", "anonymous"),
        claims[0],
        ("role_login", "anonymous"),
    ];
    assert_eq!(found(&mut site.admin), owned(&forgeable));
    // With providers it cannot.
    let entry = Provider::new("a").entry(r#","audience":"api""#);
    run(&mut site.admin, &format!("set pg_session_jwt.providers = '[{entry}]'"));
    assert_eq!(found(&mut site.admin), owned(&[("role_login", "anonymous")]));
}

#[test]
fn server_key_needs_a_preloaded_library() {
    let key = format!("pg_session_jwt.jwk = '{}'", Proxy::new().jwk());
    let logins = "alter role authenticated login";
    let preloaded = Server::start(&format!("shared_preload_libraries = 'pg_session_jwt'\n{key}"));
    let mut admin = preloaded.connect("template1", "postgres", "");
    assert_eq!(found(&mut admin), []);
    run(&mut admin, logins);
    assert_eq!(found(&mut admin), owned(&[("role_login", "authenticated")]));
    let late = Server::start(&key);
    let mut admin = late.connect("template1", "postgres", "");
    let not_preloaded = ("library_not_preloaded", "shared_preload_libraries");
    assert_eq!(found(&mut admin), owned(&[not_preloaded]));
    run(&mut admin, logins);
    let forgeable = [
        ("identity_forgeable", "authenticated"),
        not_preloaded,
        ("role_login", "authenticated"),
    ];
    assert_eq!(found(&mut admin), owned(&forgeable));
}

#[test]
fn client_keys_without_a_proxy_are_reported() {
    let on = [("client_keys", "pg_session_jwt.client_keys")];
    let claims = ("claims_mode", "pg_session_jwt.claims_fallback");
    let preloaded = "shared_preload_libraries = 'pg_session_jwt'";
    let server = Server::start(preloaded);
    let mut admin = server.connect("template1", "postgres", "");
    assert_eq!(found(&mut admin), owned(&[claims, on[0]]));
    let remedy = "ALTER SYSTEM SET pg_session_jwt.client_keys = off; SELECT pg_reload_conf(); -- unless a proxy in front of this server \
                  sends the key";
    assert_eq!(column(&mut admin, "remedy", "client_keys"), remedy);
    // In a session with a key from the startup packet, a proxy sends it.
    let mut client = Proxy::new().session_on(&server, "template1");
    assert_eq!(found(&mut client), owned(&[claims]));
    run(&mut admin, "set pg_session_jwt.claims_fallback = off");
    assert_eq!(found(&mut admin), []);
    let entry = Provider::new("a").entry(r#","audience":"api""#);
    run(&mut admin, "create database other template template0");
    run(
        &mut admin,
        &format!(
            "alter database other set pg_session_jwt.providers = '[{entry}]';
             alter database other set pg_session_jwt.claims_fallback = off"
        ),
    );
    assert_eq!(found(&mut admin), owned(&on));
    let mut other = server.connect("other", "postgres", "");
    run(&mut other, "create extension pg_session_jwt");
    assert_eq!(found(&mut other), owned(&on));
    // With client_keys off there is no finding about it.
    let server = Server::start(&format!("{preloaded}\npg_session_jwt.client_keys = off"));
    let mut admin = server.connect("template1", "postgres", "");
    assert_eq!(found(&mut admin), owned(&[claims]));
}

#[test]
fn unusable_settings() {
    let mut site = Site::new();
    run(
        &mut site.admin,
        "alter database site set pg_session_jwt.providers = '[{\"issuer\":\"a\",\"jwks_file\":\"/nowhere\"}]'",
    );
    let mut admin = site.cluster.superuser("site");
    let rows = [
        ("provider_without_keys", "pg_session_jwt.providers [1]"),
        ("provider_without_audience", "pg_session_jwt.providers [1]"),
    ];
    assert_eq!(found(&mut admin), owned(&rows));
    let problem = column(&mut admin, "problem", "provider_without_keys");
    let expected = "It has no usable key, so its tokens are rejected: it is not there, or not a regular file.";
    assert_eq!(problem, expected);

    let broken = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.providers = '[{}]'");
    let mut admin = broken.connect("template1", "postgres", "");
    assert_eq!(
        found(&mut admin),
        owned(&[("setting_unusable", "pg_session_jwt.providers")])
    );
    let broken = Server::start("shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.jwk = 'x'");
    let mut admin = broken.connect("template1", "postgres", "");
    assert_eq!(found(&mut admin), owned(&[("setting_unusable", "pg_session_jwt.jwk")]));
}

#[test]
fn an_issuer_that_others_share_needs_an_audience() {
    let mut site = Site::new();
    let mut with = |issuer: &str, more: &str| {
        let entry = Provider::new(issuer).entry(more);
        run(&mut site.admin, &format!("set pg_session_jwt.providers = '[{entry}]'"));
        found(&mut site.admin)
    };
    let google = "https://accounts.google.com";
    assert_eq!(
        with(google, ""),
        owned(&[("issuer_shared", "pg_session_jwt.providers [1]")])
    );
    assert_eq!(with(google, r#","audience":"app""#), []);
    assert_eq!(with(google, r#","claims":{"azp":"app"}"#), []);
    let own = [("provider_without_audience", "pg_session_jwt.providers [1]")];
    assert_eq!(with("https://accounts.google.com.example", ""), owned(&own));
}

#[test]
fn algorithms_that_no_key_has() {
    let mut site = Site::new();
    let provider = "pg_session_jwt.providers [1]";
    let mut with = |more: &str| {
        let entry = Provider::new("a").entry(&format!(r#","audience":"api"{more}"#));
        run(&mut site.admin, &format!("set pg_session_jwt.providers = '[{entry}]'"));
        let problem = "select string_agg(problem, '|') from auth.check() where finding = 'provider_algorithm_unused'";
        (found(&mut site.admin), one::<Option<String>>(&mut site.admin, problem))
    };
    let unused = owned(&[("provider_algorithm_unused", provider)]);
    for (algorithms, names) in [
        (r#"["EdDSA","ES256"]"#, "ES256"),
        (r#"["ES512","EdDSA","RS256","PS256"]"#, "ES512, RS256, PS256"),
    ] {
        let problem = format!("\"algorithms\" has {names}, for which the provider has no key.");
        let more = format!(r#","algorithms":{algorithms}"#);
        assert_eq!(with(&more), (unused.clone(), Some(problem)), "{algorithms}");
    }
    for safe in ["", r#","algorithms":["EdDSA"]"#] {
        assert_eq!(with(safe), (Vec::new(), None), "{safe}");
    }
    // Where no key is usable, that is the finding.
    let without_keys = owned(&[("provider_without_keys", provider)]);
    assert_eq!(with(r#","algorithms":["ES256"]"#), (without_keys, None));
}

#[test]
fn each_provider_is_inspected() {
    let (valid, silent) = (Provider::new("a"), Provider::new("b"));
    let gone = KeyServer::start(Answer::Status(404));
    let unusable = r#"{"keys":[{"kty":"EC","kid":"y","use":"enc"}]}"#;
    let mut site = Site::new();
    let path = site.cluster.directory().join("unusable.json");
    std::fs::write(&path, unusable).unwrap();
    let providers = format!(
        r#"[{},{},{{"issuer":"c","audience":"api","jwks_url":"{}"}},{{"issuer":"d","audience":"api","jwks_file":"{}"}},{}]"#,
        valid.entry(r#","audience":"api""#),
        silent.entry(""),
        gone.url(),
        path.display(),
        Provider::new("e").entry(r#","claims":{"azp":"app"}"#)
    );
    run(
        &mut site.admin,
        &format!("set pg_session_jwt.providers = '{providers}'"),
    );
    let expected = [
        ("provider_without_keys", "pg_session_jwt.providers [3]"),
        ("provider_without_keys", "pg_session_jwt.providers [4]"),
        ("provider_without_audience", "pg_session_jwt.providers [2]"),
    ];
    assert_eq!(found(&mut site.admin), owned(&expected));
}

#[test]
fn settings_that_log_tokens() {
    let mut site = Site::new();
    let statements = |place: &'static str| ("logged_statements", place);
    for (name, value) in [
        ("log_statement", "all"),
        ("log_min_duration_statement", "250ms"),
        ("log_min_duration_sample", "0"),
        ("log_transaction_sample_rate", "0.1"),
    ] {
        let object = format!("DATABASE site: {name}");
        let expected = [
            ("logged_parameters", "log_parameter_max_length"),
            statements(Box::leak(object.into_boxed_str())),
        ];
        site.finds(
            &format!("alter database site set {name} = '{value}'"),
            &expected,
            &format!("alter database site reset {name}"),
        );
    }
    let mut of_a_role = vec![
        ("log_min_messages", "debug2"),
        ("log_min_error_statement", "notice"),
        ("debug_print_plan", "on"),
    ];
    let mut harmless = vec![
        ("log_statement", "ddl"),
        ("log_min_duration_statement", "-1"),
        ("log_min_messages", "debug1"),
    ];
    if major() >= 19 {
        of_a_role.extend([
            ("debug_print_raw_parse", "on"),
            ("log_min_messages", "debug5,walsender:error"),
            ("log_min_messages", "walsender:error, debug2"),
            ("log_min_messages", "ERROR,Backend:DEBUG2"),
        ]);
        harmless.extend([
            ("log_min_messages", "debug1,walsender:debug5"),
            ("log_min_messages", "debug5, backend:error"),
        ]);
    }
    for (name, value) in of_a_role {
        let object = format!("ROLE app: {name}");
        run(&mut site.admin, "drop role if exists app; create role app");
        site.finds(
            &format!("alter role app set {name} = '{value}'"),
            &[statements(Box::leak(object.into_boxed_str()))],
            &format!("alter role app reset {name}"),
        );
    }
    for (name, value) in harmless {
        site.finds(&format!("alter database site set {name} = '{value}'"), &[], "");
    }
    site.finds(
        "alter database site set log_parameter_max_length_on_error = 100",
        &[("logged_parameters", "DATABASE site: log_parameter_max_length_on_error")],
        "alter database site reset log_parameter_max_length_on_error",
    );
    // The settings of this session alone do not count.
    site.finds(
        "set log_statement = 'all'; set log_parameter_max_length_on_error = 100",
        &[],
        "",
    );
}

#[test]
fn log_settings_of_the_server_are_inspected() {
    let server = Server::start(&format!(
        "{}\nlog_statement = 'all'\nlog_parameter_max_length = 0\nlog_parameter_max_length_on_error = 10",
        conf_with_proxy()
    ));
    let mut admin = server.connect("template1", "postgres", "");
    let expected = [
        ("logged_parameters", "log_parameter_max_length_on_error"),
        ("logged_statements", "log_statement"),
    ];
    assert_eq!(found(&mut admin), owned(&expected));
    let remedy =
        "ALTER SYSTEM SET log_statement = 'none'; SELECT pg_reload_conf(); -- unless all tokens are bound parameters";
    assert_eq!(column(&mut admin, "remedy", "logged_statements"), remedy);
}

#[test]
fn libraries_that_record_statements() {
    let has = |library: &str| pg_config("--pkglibdir").join(format!("{library}.so")).exists();
    if has("auto_explain") {
        let conf = "shared_preload_libraries = 'pg_session_jwt, auto_explain'\npg_session_jwt.claims_fallback = off\n\
                    auto_explain.log_min_duration = 0";
        let server = Server::start(conf);
        let mut admin = server.connect("template1", "postgres", "");
        let mut expected = vec![("logged_statements", "auto_explain.log_min_duration")];
        let can_log = "select exists (select from pg_settings where name = 'auto_explain.log_parameter_max_length')";
        if one::<bool>(&mut admin, can_log) {
            expected.insert(0, ("logged_parameters", "auto_explain.log_parameter_max_length"));
        }
        assert_eq!(found(&mut admin), owned(&expected));
    }
    if has("pg_stat_statements") {
        let conf =
            "shared_preload_libraries = 'pg_session_jwt, pg_stat_statements'\npg_session_jwt.claims_fallback = off";
        let server = Server::start(conf);
        let mut admin = server.connect("template1", "postgres", "");
        assert_eq!(
            found(&mut admin),
            owned(&[("pg_stat_statements_tracks_utility", "pg_stat_statements.track_utility")])
        );
        run(
            &mut admin,
            "alter database template1 set pg_stat_statements.track_utility = off",
        );
        assert_eq!(found(&mut server.connect("template1", "postgres", "")), []);
    }
}

#[test]
fn deployment_that_ignores_the_readme() {
    let mut admin = SHARED.connect(&SHARED.database(), "postgres", "");
    let rows = testkit::session::rows(
        &mut admin,
        "select finding from auth.check() where finding in ('claims_mode', 'library_not_preloaded')",
    );
    assert_eq!(
        rows,
        [
            [Some("claims_mode".to_owned())],
            [Some("library_not_preloaded".to_owned())]
        ]
    );
}
