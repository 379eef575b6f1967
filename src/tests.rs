//! Tests that run inside a backend. What needs a key, a second session or a role is in tests/sessions.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    fn one<T: FromDatum + IntoDatum>(query: &str) -> Option<T> {
        Spi::get_one(query).unwrap()
    }

    fn claims(text: &str) {
        Spi::run(&format!("select set_config('request.jwt.claims', $${text}$$, true)")).unwrap();
    }

    #[pg_test]
    fn without_claims_there_is_nobody() {
        assert_eq!(one::<String>("select auth.user_id()"), None);
        assert_eq!(one::<pgrx::Uuid>("select auth.uid()"), None);
        assert_eq!(one::<String>("select auth.session()::text"), Some("null".to_owned()));
        assert_eq!(one::<bool>("select auth.session() is null"), Some(false));
    }

    #[pg_test]
    fn claims_of_a_trusted_front_end_are_read() {
        claims(r#"{"sub":"alice","email":"a@example.com","role":"admin","n":12345678901234567890123}"#);
        assert_eq!(one::<String>("select auth.user_id()"), Some("alice".to_owned()));
        assert_eq!(one::<String>("select auth.email()"), Some("a@example.com".to_owned()));
        assert_eq!(one::<String>("select auth.role()"), Some("admin".to_owned()));
        assert_eq!(
            one::<String>("select auth.jwt() ->> 'n'"),
            Some("12345678901234567890123".to_owned())
        );
    }

    #[pg_test]
    fn each_assignment_of_the_claims_counts_at_once() {
        claims(r#"{"sub":"alice"}"#);
        assert_eq!(one::<String>("select auth.user_id()"), Some("alice".to_owned()));
        claims(r#"{"sub":"bob"}"#);
        assert_eq!(one::<String>("select auth.user_id()"), Some("bob".to_owned()));
        claims("not JSON");
        assert_eq!(one::<String>("select auth.user_id()"), None);
    }

    #[pg_test]
    fn claims_count_for_nothing_when_the_fallback_is_off() {
        claims(r#"{"sub":"alice"}"#);
        Spi::run("set local pg_session_jwt.claims_fallback = off").unwrap();
        assert_eq!(one::<String>("select auth.user_id()"), None);
        assert_eq!(one::<String>("select mode from auth.status()"), Some("off".to_owned()));
    }

    #[pg_test(error = "no key to verify a JWT with: \"pg_session_jwt.jwk\" is not set")]
    fn init_without_a_key_fails() {
        Spi::run("select auth.init()").unwrap();
    }

    #[pg_test(error = "no key to verify a JWT with: \"pg_session_jwt.jwk\" is not set")]
    fn a_token_without_a_key_is_refused() {
        Spi::run("select auth.jwt_session_init('a.b.c')").unwrap();
    }

    #[pg_test(error = "invalid JWT encoding")]
    fn an_empty_token_is_refused() {
        Spi::run("select auth.jwt_session_init('')").unwrap();
    }

    #[pg_test(error = "parameter \"pg_session_jwt.jwk\" cannot be set after connection start")]
    fn a_session_cannot_bring_a_key() {
        Spi::run("set pg_session_jwt.jwk = '{}'").unwrap();
    }
}
