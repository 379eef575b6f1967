//! Settings of a client before the library is loaded: in its startup packet, and before the first call.

use testkit::session::{Proxy, rejection, rejection_of, run};

use super::deployment::Deployment;
use super::ways::{ANONYMOUS, WAYS, Way, fails, in_every_way, value, who};

/// attack: 60, 85
#[test]
fn key_in_the_startup_packet_gives_no_rows() {
    in_every_way(|deployment| {
        let mut proxy = Proxy::new();
        let options = format!(r#"{} -c request.jwt.claims={{"sub":"alice"}}"#, proxy.options());
        if deployment.way == Way::Pooled {
            let rejected = rejection_of(&deployment.try_connect(&options).err().expect("a rejection"));
            // PgBouncer 1.18 rejects options; later versions pass the ones they know.
            assert_eq!(rejected.sqlstate, "08P01");
            assert!(
                rejected.message.starts_with("unsupported startup parameter"),
                "{rejected:?}"
            );
            return;
        }
        let mut client = deployment.try_connect(&options).unwrap();
        assert_eq!(who(&mut client), ANONYMOUS);
        let forged = format!("select auth.jwt_session_init('{}')", proxy.token_of("alice"));
        fails(&mut client, &forged, "28000");
        for setting in [
            "providers=[]",
            "claims_fallback=on",
            "leeway=300",
            "audit_log=off",
            "ca_file=/dev/null",
        ] {
            let options = format!("-c pg_session_jwt.{setting}");
            let rejected = rejection_of(&deployment.try_connect(&options).err().expect("a rejection"));
            let sqlstate = if setting.starts_with("ca_file") {
                "55P02"
            } else {
                "42501"
            };
            assert_eq!(rejected.sqlstate, sqlstate, "{setting}: {rejected:?}");
        }
    });
}

/// attack: 61
#[test]
fn settings_before_library_load_give_no_rows() {
    let key = Proxy::new().jwk();
    let own = format!(r#"[{{"issuer":"https://mallory.example/","jwks":{{"keys":[{key}]}}}}]"#);
    for way in WAYS {
        let mut deployment = Deployment::late(way);
        for before in [
            "set pg_session_jwt.providers = ''".to_owned(),
            format!("set pg_session_jwt.providers = '{own}'"),
            format!("begin; set local pg_session_jwt.providers = '{own}'"),
            "set pg_session_jwt.providers = 'x'; reset pg_session_jwt.providers".to_owned(),
            format!("set pg_session_jwt.jwk = '{key}'"),
            "set pg_session_jwt.claims_fallback = on".to_owned(),
            "reset all".to_owned(),
            "discard all".to_owned(),
        ] {
            // Through PgBouncer every client has the same server session, which loads the library once.
            if way == Way::Pooled {
                deployment = Deployment::late(way);
            }
            let mut client = deployment.anyone();
            run(&mut client, r#"set request.jwt.claims = '{"sub":"alice"}'"#);
            run(&mut client, &before);
            run(&mut client, "set role authenticated");
            let loaded = "select exists (select from pg_settings where name = 'pg_session_jwt.jwt')::text";
            assert_eq!(value(&mut client, loaded).as_deref(), Some("false"), "{before}");
            for sql in ["select 1", "rollback", "reset all"] {
                run(&mut client, sql);
                run(&mut client, "set role authenticated");
                // Either the providers of the file apply, or every call fails. Claims and other keys never apply.
                match client.simple_query("select auth.user_id()") {
                    Ok(_) => assert_eq!(who(&mut client), ANONYMOUS, "{way:?}: {before}"),
                    Err(error) => assert_eq!(rejection_of(&error).sqlstate, "55000", "{way:?}: {before}"),
                }
            }
            let forged = format!(
                "select auth.jwt_session_init('{}')",
                Proxy::new().raw(r#"{"iss":"https://mallory.example/","sub":"alice"}"#)
            );
            let rejected = rejection(&mut client, &forged).sqlstate;
            assert!(
                ["28000", "55000"].contains(&rejected.as_str()),
                "{way:?}: {before}: {rejected}"
            );
        }
    }
}
