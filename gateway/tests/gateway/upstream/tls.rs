//! TLS to PostgreSQL, in the modes of libpq.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use testkit::server::{Server, pg_config, unprivileged_user};
use testkit::session::run;

use super::{does_not_start, server, serves, set_password};
use crate::running::Gateway;
use crate::{create_login, database_of, settings};

/// A certificate authority with this key, a certificate for PostgreSQL and one for the gateway, as files that PostgreSQL can
/// read.
fn certificates(directory: &Path, authority_key: KeyPair, name: &str) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(authority, authority_key).unwrap();
    let issue = |file: &str, subject: &str, names: Vec<String>| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, subject);
        let certificate = params.signed_by(&key, &authority).unwrap();
        for (ending, text) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
            let path = directory.join(format!("{file}.{ending}"));
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            if let Some((uid, gid)) = unprivileged_user() {
                chown(&path, Some(uid), Some(gid)).unwrap();
            }
        }
    };
    issue("server", name, vec![name.to_owned()]);
    issue("gateway", "jwt_gateway", vec![]);
    std::fs::write(directory.join("authority.crt"), authority.pem()).unwrap();
}

/// A server with TLS, whose certificate is for this name, its database, and the directory of the certificates.
fn server_with_tls(name: &str, line: &str) -> (Server, String, String) {
    server_certified_by(KeyPair::generate().unwrap(), name, line)
}

/// The same, with this key of the authority, which decides on the signature's algorithm.
pub fn server_certified_by(authority_key: KeyPair, name: &str, line: &str) -> (Server, String, String) {
    let mut server = Server::start(&settings());
    create_login(&server);
    let database = database_of(&server);
    let line = format!("{line}\nhost all postgres all trust\n");
    server.restart_after(|directory| {
        certificates(directory, authority_key, name);
        std::fs::write(directory.join("data/pg_hba.conf"), line).unwrap();
        let conf = directory.join("data/postgresql.auto.conf");
        let text = std::fs::read_to_string(&conf).unwrap();
        let path = |file: &str| directory.join(file).display().to_string();
        let tls = format!(
            "log_connections = on\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n",
            path("server.crt"),
            path("server.key"),
            path("authority.crt")
        );
        std::fs::write(conf, text + &tls).unwrap();
    });
    let directory = server.directory().display().to_string();
    (server, database, directory)
}

/// Whether this PostgreSQL was built with OpenSSL; some packages are not.
pub fn has_tls() -> bool {
    let configure = pg_config("--configure");
    let has = configure.to_string_lossy().contains("openssl");
    if !has {
        println!("not tested: this PostgreSQL was built without TLS");
    }
    has
}

#[test]
fn a_client_certificate_and_a_verified_server() {
    if !has_tls() {
        return;
    }
    let (server, database, directory) = server_with_tls("127.0.0.1", "hostssl all jwt_gateway all cert");
    let root = format!("--sslrootcert={directory}/authority.crt");
    let own = [
        format!("--sslcert={directory}/gateway.crt"),
        format!("--sslkey={directory}/gateway.key"),
    ];
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let mode = format!("--sslmode={mode}");
        serves(&server, &database, &[&mode, &root, &own[0], &own[1]]);
    }
    let error = does_not_start(&server, &database, &["--sslmode=verify-full", &root]);
    assert!(error.contains("could not check the login"), "{error}");
}

/// After SIGHUP new connections use the new files.
#[test]
fn another_client_certificate() {
    if !has_tls() {
        return;
    }
    let (server, database, directory) = server_with_tls("127.0.0.1", "hostssl all jwt_gateway all cert");
    let path = |file: &str| format!("{directory}/{file}");
    let options = [
        format!("--sslcert={}", path("gateway.crt")),
        format!("--sslkey={}", path("gateway.key")),
    ];
    let gateway = Gateway::start(&server, &database, &[&options[0], &options[1]]);
    let mut admin = server.connect(&database, "postgres", "");
    let mut becomes = |status: u16| {
        let begin = Instant::now();
        loop {
            // The next request makes a new connection.
            let end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'jwt_gateway'";
            run(&mut admin, end);
            std::thread::sleep(Duration::from_millis(100));
            if gateway.client("anonymous", None).query("select 1", &[]).0 == status {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "not {status}");
        }
    };
    // PostgreSQL's own certificate is not one of the login.
    for ending in ["crt", "key"] {
        std::fs::rename(path(&format!("gateway.{ending}")), path(&format!("own.{ending}"))).unwrap();
        std::fs::copy(path(&format!("server.{ending}")), path(&format!("gateway.{ending}"))).unwrap();
    }
    becomes(200);
    gateway.signal("HUP");
    becomes(503);
    for ending in ["crt", "key"] {
        std::fs::rename(path(&format!("own.{ending}")), path(&format!("gateway.{ending}"))).unwrap();
    }
    gateway.signal("HUP");
    becomes(200);
    std::fs::write(path("gateway.crt"), "").unwrap();
    gateway.signal("HUP");
    becomes(200);
}

#[test]
fn another_name_and_another_authority() {
    if !has_tls() {
        return;
    }
    let (server, database, directory) = server_with_tls("other.example", "hostssl all jwt_gateway all trust");
    let root = format!("--sslrootcert={directory}/authority.crt");
    let another = format!("--sslrootcert={directory}/gateway.crt");
    serves(&server, &database, &["--sslmode=require"]);
    serves(&server, &database, &["--sslmode=verify-ca", &root]);
    for rejected in [
        ["--sslmode=verify-full", &root],
        ["--sslmode=verify-ca", &another],
        ["--sslmode=require", &another],
    ] {
        does_not_start(&server, &database, &rejected);
    }
    does_not_start(&server, &database, &["--sslmode=disable"]);
}

/// Only TLS keeps a password that is sent as text from the network.
#[test]
fn a_password_as_clear_text() {
    if !has_tls() {
        return;
    }
    let line = "host all jwt_gateway all password";
    let (server, database, _) = server_with_tls("127.0.0.1", line);
    let file = set_password(&server, "scram-sha-256");
    let password = format!("--password-file={}", file.display());
    serves(&server, &database, &[&password, "--sslmode=require"]);
    let error = does_not_start(&server, &database, &[&password, "--sslmode=disable"]);
    assert!(error.contains("asks for the password as clear text"), "{error}");
}

#[test]
fn a_server_without_tls() {
    let (server, database) = server("host all jwt_gateway all trust", "");
    serves(&server, &database, &["--sslmode=prefer"]);
    does_not_start(&server, &database, &["--sslmode=require"]);
}

/// A client learns neither the address nor the certificate of PostgreSQL.
#[test]
fn a_stranger_does_not_learn_where_postgresql_is() {
    if !has_tls() {
        return;
    }
    let key = KeyPair::generate().unwrap();
    let authority = key.serialize_pem();
    let (mut server, database, directory) = server_certified_by(key, "127.0.0.1", "host all jwt_gateway all trust");
    let root = format!("--sslrootcert={directory}/authority.crt");
    let options = ["--sslmode=verify-full", &root, "--password-logins"];
    let gateway = Gateway::start(&server, &database, &options);
    let key = KeyPair::from_pem(&authority).unwrap();
    server.restart_after(|directory| certificates(directory, key, "secret.internal.example"));
    let (status, body) = gateway.client("stranger:guess", None).query("select 1", &[]);
    assert_eq!((status, &body["code"]), (503, &json!("08001")));
    assert_eq!(body["message"], "gateway could not connect to PostgreSQL");
}
