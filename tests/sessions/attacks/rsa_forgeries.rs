//! RSA signatures with the right key and the wrong padding.
//!
//! The kind of session makes no difference to a signature, so each attack runs once.

use testkit::forgeries::RsaPadding;
use testkit::messages;
use testkit::session::{now, rejects, rows, run};

use super::deployment::Deployment;
use super::ways::{Way, value};

/// attack: 38, 40
#[test]
fn malformed_padding_is_an_invalid_signature() {
    let padding = RsaPadding::new();
    let deployment = Deployment::new(Way::Login);
    let providers = format!(
        "alter database {} set pg_session_jwt.providers = '[{{\"issuer\":\"rsa\",\"jwks\":{{\"keys\":[{}]}}}}]'",
        deployment.database,
        padding.jwk()
    );
    run(&mut deployment.admin(), &providers);
    let mut client = deployment.anyone();
    let payload = format!(r#"{{"iss":"rsa","sub":"mallory","exp":{}}}"#, now() + 600);
    for tokens in padding.tokens(&payload) {
        for (what, forgery) in &tokens.forgeries {
            eprintln!("{what}");
            let sql = format!("select auth.jwt_session_init('{forgery}')");
            rejects(&mut client, &sql, "28000", messages::INVALID_SIGNATURE);
            assert_eq!(rows(&mut client, "select auth.user_id()"), [[None]], "{what}");
        }
        // The same code also makes valid signatures.
        run(&mut client, &format!("select auth.jwt_session_init('{}')", tokens.good));
        assert_eq!(value(&mut client, "select auth.user_id()").as_deref(), Some("mallory"));
        run(&mut client, "reset pg_session_jwt.jwt");
    }
}
