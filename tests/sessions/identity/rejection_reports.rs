//! Every rejection of a presented token: SQLSTATE, message, DETAIL and HINT.

use postgres::Client;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::SHARED;
use testkit::session::{Rejection, now, rejection, run};
use testkit::signer::part;

const ISSUER: &str = "https://a.example/";

/// A session with these providers.
fn session(entries: &[String]) -> Client {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, "select auth.status()");
    let providers = format!("set pg_session_jwt.providers = '[{}]'", entries.join(","));
    run(&mut client, &providers);
    client
}

#[track_caller]
fn is_rejected(entry: &str, token: &str, message: &str, detail: &str, hint: &str) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let expected = Rejection {
        sqlstate: "28000".to_owned(),
        message: message.to_owned(),
        detail: text(detail),
        hint: text(hint),
    };
    let mut client = session(&[entry.to_owned()]);
    for present in [
        format!("select auth.jwt_session_init('{token}')"),
        format!("select auth.jwt_session_init('{token}', true)"),
        format!("set pg_session_jwt.jwt = '{token}'"),
    ] {
        if !token.is_empty() || !present.starts_with("set") {
            assert_eq!(rejection(&mut client, &present), expected);
        }
    }
}

#[test]
fn of_a_text_that_is_no_token() {
    let provider = Provider::new(ISSUER);
    let entry = provider.entry("");
    let good = provider.token("alice");
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let of = |parts: &str| format!("A JWT has three parts with dots between them; this token has {parts}.");
    let cases = [
        (
            String::new(),
            messages::INVALID_ENCODING,
            "The token is empty.".to_owned(),
            "",
        ),
        (
            "opaque".to_owned(),
            messages::INVALID_ENCODING,
            of("one part: an opaque token"),
            "Present a JWT. Some providers issue one only for an audience that the login names.",
        ),
        (
            format!("{header}.{payload}"),
            messages::INVALID_ENCODING,
            of("2 parts"),
            "",
        ),
        (
            format!("{good}.{}.{}", part("iv"), part("tag")),
            messages::INVALID_ENCODING,
            of("five parts: an encrypted token"),
            "Have the provider sign its tokens without encrypting them.",
        ),
        (
            format!("Bearer {good}"),
            messages::INVALID_ENCODING,
            "It still begins with Bearer.".to_owned(),
            "Present only the text after Bearer.",
        ),
        (
            "x".repeat(65_537),
            messages::TOO_LONG,
            "The token has 65537 bytes; the limit is 65536.".to_owned(),
            "",
        ),
        (format!("{good}="), messages::SIGNATURE_NOT_BASE64URL, String::new(), ""),
        (
            format!("{header}=.{payload}.{signature}"),
            messages::HEADER_NOT_BASE64URL,
            String::new(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part("[]")),
            messages::HEADER_NOT_JSON,
            "The text was rejected: it is not an object.".to_owned(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part("{}")),
            messages::HEADER_WITHOUT_ALG,
            String::new(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part(r#"{"alg":"none"}"#)),
            messages::ALGORITHM_NOT_SUPPORTED,
            r#"The JWT has alg="none"."#.to_owned(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part(r#"{"alg":"EdDSA","crit":[]}"#)),
            messages::EXTENSION_NOT_SUPPORTED,
            r#"The JWT header has "crit"."#.to_owned(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part(r#"{"alg":"EdDSA","kid":"k2"}"#)),
            messages::NO_KEY_OF_TOKEN,
            r#"The JWT has kid="k2"."#.to_owned(),
            "Present a new token; the provider may have retired the key.",
        ),
        (
            format!("{}.{payload}.{signature}", part(r#"{"alg":"RS256"}"#)),
            messages::NAMES_NO_KEY,
            "0 keys match; exactly one must.".to_owned(),
            "",
        ),
        (
            format!("{}.{payload}.{signature}", part(r#"{"alg":"RS256","kid":"k1"}"#)),
            messages::ALGORITHM_MISMATCH,
            r#"The JWT has alg="RS256"."#.to_owned(),
            "",
        ),
        (
            format!("{header}.{payload}.{}", part("x")),
            messages::INVALID_SIGNATURE,
            String::new(),
            "",
        ),
        (
            provider.signed("[]"),
            messages::PAYLOAD_NOT_JSON,
            "The text was rejected: it is not an object.".to_owned(),
            "",
        ),
    ];
    for (token, message, detail, hint) in cases {
        is_rejected(&entry, &token, message, &detail, hint);
    }
}

#[test]
fn of_claims() {
    let provider = Provider::new(ISSUER);
    let date =
        "The claim must be a number up to 253402300799 (the end of the year 9999), and an integer if it is negative.";
    let exp = "The claim must be a number from 0 to 253402300799 (the end of the year 9999).";
    let cases = [
        ("", r#""exp":"soon""#, messages::EXP_NOT_A_DATE, exp),
        ("", r#""nbf":"soon""#, messages::NBF_NOT_A_DATE, date),
        ("", r#""iat":1e300"#, messages::IAT_NOT_A_DATE, date),
        (
            "",
            r#""events":{}"#,
            messages::SECURITY_EVENT,
            r#"The JWT has "events"."#,
        ),
        ("", r#""cnf":{}"#, messages::SENDER_CONSTRAINED, r#"The JWT has "cnf"."#),
        (
            r#","token_types":"at+jwt""#,
            r#""sub":"a""#,
            messages::OTHER_TYPE,
            r#"The JWT has typ="JWT"."#,
        ),
        (
            r#","audience":"api""#,
            r#""aud":["web","app"]"#,
            messages::OTHER_AUDIENCE,
            r#"The JWT has aud="web, app"."#,
        ),
        (
            r#","audience":"api""#,
            r#""sub":"a""#,
            messages::OTHER_AUDIENCE,
            r#"The JWT has no "aud"."#,
        ),
        (
            r#","audience":"api""#,
            r#""aud":["api",7]"#,
            messages::AUDIENCE_NOT_A_STRING,
            r#"A member of "aud" is not a string."#,
        ),
        (
            r#","audience":"api""#,
            r#""aud":{"api":7}"#,
            messages::AUDIENCE_NOT_A_STRING,
            "",
        ),
        (
            r#","claims":{"tenant":"t"}"#,
            r#""tenant":"u""#,
            messages::OTHER_CLAIM,
            r#"The JWT has another "tenant"."#,
        ),
        (
            r#","max_age":60"#,
            r#""sub":"a""#,
            messages::NO_ISSUE_TIME,
            r#"The JWT has no "iat"."#,
        ),
    ];
    for (more, members, message, detail) in cases {
        is_rejected(
            &provider.entry(more),
            &provider.token_with(members),
            message,
            detail,
            "",
        );
    }
    let endless = provider.signed(&format!(r#"{{"iss":"{ISSUER}"}}"#));
    is_rejected(
        &provider.entry(""),
        &endless,
        messages::NO_EXPIRY,
        r#"The JWT has no "exp"."#,
        "",
    );
}

#[test]
fn of_an_issuer() {
    let provider = Provider::new(ISSUER);
    let of = |iss: &str| provider.signed(&format!(r#"{{"iss":{iss},"exp":{}}}"#, now() + 60));
    let slash = "which differs from the issuer that is set by a slash at the end.";
    let cases = [
        (r#""https://b/""#, r#"The JWT has iss="https://b/"."#.to_owned(), ""),
        ("7", r#"The JWT has no string "iss"."#.to_owned(), ""),
        (
            r#""https://a.example""#,
            format!(r#"The JWT has iss="https://a.example", {slash}"#),
            r#""issuer" of pg_session_jwt.providers must be exactly the "iss" of the tokens."#,
        ),
    ];
    for (iss, detail, hint) in cases {
        is_rejected(&provider.entry(""), &of(iss), messages::UNKNOWN_ISSUER, &detail, hint);
    }
    let twice = format!("{0},{0}", provider.entry(""));
    is_rejected(
        &twice,
        &provider.token("alice"),
        messages::SEVERAL_PROVIDERS,
        "Providers 1 and 2 both accept it.",
        "Distinguish the providers by \"issuer\", \"audience\" or \"claims\" in pg_session_jwt.providers.",
    );
}

/// The times differ from run to run: only their names are compared.
#[test]
fn of_times() {
    let provider = Provider::new(ISSUER);
    let (past, future) = (now() - 3600, now() + 3600);
    let cases = [
        (
            "",
            format!(r#""exp":{past}"#),
            messages::EXPIRED,
            "exp= now= leeway=",
            "Present a new token.",
        ),
        (
            "",
            format!(r#""nbf":{future}"#),
            messages::NOT_YET_VALID,
            "nbf= now= leeway=",
            "The clock of the issuer or of this server may be wrong.",
        ),
        (
            r#","max_age":60"#,
            format!(r#""iat":{past}"#),
            messages::TOO_OLD,
            "iat= now= max_age= leeway=",
            "Present a new token.",
        ),
    ];
    for (more, members, message, detail, hint) in cases {
        let mut client = session(&[provider.entry(more)]);
        let call = format!("select auth.jwt_session_init('{}')", provider.token_with(&members));
        let mut rejected = rejection(&mut client, &call);
        let names = |pair: &str| pair.split_inclusive('=').next().unwrap().to_owned();
        let told = rejected.detail.take().unwrap();
        assert_eq!(told.split(", ").map(names).collect::<Vec<_>>().join(" "), detail);
        let expected = Rejection {
            sqlstate: "28000".to_owned(),
            message: message.to_owned(),
            detail: None,
            hint: Some(hint.to_owned()),
        };
        assert_eq!(rejected, expected);
    }
}

#[test]
fn of_a_role_names_the_role_and_the_missing_statement() {
    let provider = Provider::new(ISSUER);
    let token = provider.token("alice");
    let call = format!("select auth.jwt_session_init('{token}')");
    let told = |role: &str, hint: &str| Rejection {
        sqlstate: "28000".to_owned(),
        message: messages::ROLE.to_owned(),
        detail: Some(format!("The current role is {role}.")),
        hint: Some(hint.to_owned()),
    };
    let mut client = session(&[provider.entry(r#","roles":["missing role","authenticated"]"#)]);
    let set_role = "Run SET ROLE authenticated, or SET LOCAL ROLE authenticated in the transaction.";
    assert_eq!(rejection(&mut client, &call), told("postgres", set_role));
    run(&mut client, "set role anonymous");
    assert_eq!(rejection(&mut client, &call), told("anonymous", set_role));
    let database = client
        .query_one("select current_database()", &[])
        .unwrap()
        .get::<_, String>(0);
    run(
        &mut client,
        &format!("reset role; create role \"{database} App\"; set session authorization \"{database} App\""),
    );
    let login = format!("\"{database} App\"");
    let grant = format!("Run GRANT authenticated TO {login} as an administrator, and then SET ROLE authenticated.");
    assert_eq!(rejection(&mut client, &call), told(&login, &grant));
    run(&mut client, &format!("reset session authorization; drop role {login}"));
    let mut client = session(&[provider.entry(r#","roles":["missing role"]"#)]);
    let create = "Create a role that the provider lists in its \"roles\".";
    assert_eq!(rejection(&mut client, &call), told("postgres", create));
}

#[test]
fn of_a_user_id_that_is_not_a_string_names_the_claim() {
    let provider = Provider::new(ISSUER);
    let mut client = session(&[provider.entry(r#","user_id_claim":"oid""#)]);
    let token = provider.token_with(r#""sub":"alice","oid":7"#);
    run(&mut client, &format!("select auth.jwt_session_init('{token}')"));
    let expected = Rejection {
        sqlstate: "28000".to_owned(),
        message: "'oid' (User ID) must be a string".to_owned(),
        detail: None,
        hint: None,
    };
    assert_eq!(rejection(&mut client, "select auth.user_id()"), expected);
    let reason = |client: &mut Client| {
        let row = client.query_one("select reason from auth.status()", &[]).unwrap();
        row.get::<_, String>(0)
    };
    assert_eq!(reason(&mut client), "claim oid is not a string");
    let without = provider.token("alice");
    run(&mut client, &format!("select auth.jwt_session_init('{without}')"));
    assert_eq!(reason(&mut client), "there is no string claim oid");
}

#[test]
fn of_a_set_that_is_another_document() {
    let provider = Provider::new(ISSUER);
    let mut client = session(&[provider.entry("")]);
    let discovery = r#"{"issuer":"https://a.example/","jwks_uri":"https://a.example/keys"}"#;
    for (jwks, problem) in [
        (provider.jwk(), messages::KEY_FOR_SET),
        (discovery.to_owned(), messages::DISCOVERY_FOR_SET),
    ] {
        let set = format!(r#"set pg_session_jwt.providers = '[{{"issuer":"{ISSUER}","jwks":{jwks}}}]'"#);
        let rejected = rejection(&mut client, &set);
        assert_eq!(
            (rejected.sqlstate.as_str(), rejected.message.as_str()),
            ("22023", messages::PROVIDERS_NOT_USABLE)
        );
        let detail = format!("Provider 1 has an invalid \"jwks\": {problem}.");
        assert_eq!(rejected.detail, Some(detail));
    }
    for (jwk, problem, detail, hint) in [
        (
            provider.key_set().as_str(),
            messages::SET_FOR_KEY,
            "It has the array \"keys\".",
            "Provide one key of the set, or the set in pg_session_jwt.providers.",
        ),
        (
            discovery,
            messages::DISCOVERY_FOR_KEY,
            "It has \"jwks_uri\", the address of the key set.",
            "Set \"issuer\" alone in pg_session_jwt.providers: its document leads to the keys.",
        ),
    ] {
        let options = format!("-c pg_session_jwt.jwk={jwk}");
        let mut client = SHARED.connect(&SHARED.database(), "postgres", &options);
        let expected = Rejection {
            sqlstate: "22023".to_owned(),
            message: messages::unusable("jwk", problem),
            detail: Some(detail.to_owned()),
            hint: Some(hint.to_owned()),
        };
        assert_eq!(rejection(&mut client, "select auth.user_id()"), expected);
    }
}
