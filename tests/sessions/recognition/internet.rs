//! The hosts of all providers, as a server behind a proxy reaches them: no setting differs from one in production.
//!
//! The proxy connects to a server of the test for each host, whose certificate is from an authority in `ca_file`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::LazyLock;

use testkit::connect_proxy::ConnectProxy;
use testkit::key_server::{Answer, KeyServer};
use testkit::key_server_tls::{Authority, start_tls};
use testkit::server::Server;
use testkit::session::run;
use testkit::signer::Signer;

use super::case::Case;
use super::cases::{NAMES, case};
use super::documents::document;
use crate::providers::shapes::shape::new_key;
use crate::support::discovery::OPENID;
use crate::support::environment::{WITHOUT_PROXIES, program};

pub static INTERNET: LazyLock<Internet> = LazyLock::new(Internet::start);

pub struct Internet {
    /// A server that reaches these hosts.
    pub server: Server,
    signers: HashMap<&'static str, Signer>,
    hosts: HashMap<String, KeyServer>,
}

impl Internet {
    fn start() -> Internet {
        let signers: HashMap<&str, Signer> = NAMES.map(|name| (name, new_key(case(name).shape.alg))).into();
        let mut published: BTreeMap<String, Vec<(String, Answer)>> = BTreeMap::new();
        for (name, signer) in &signers {
            let case = case(name);
            let keys = (case.keys.to_owned(), case.shape.published_key_set(signer));
            for (url, text) in own_document(name, &case).into_iter().chain([keys]) {
                let (host, path) = split(&url);
                published.entry(host).or_default().push((path, Answer::Body(text)));
            }
        }
        let authority = Authority::new("authority");
        let serve = |(host, paths): (String, _)| {
            let server = start_tls(authority.certify(&host), Answer::Paths(paths));
            (host, server)
        };
        let hosts: HashMap<String, KeyServer> = published.into_iter().map(serve).collect();
        let ports = hosts.iter().map(|(host, server)| (host.clone(), server.port()));
        let proxy = ConnectProxy::start(ports.collect()).url();
        let conf = "shared_preload_libraries = 'pg_session_jwt'\npg_session_jwt.ca_file = '../ca.pem'";
        let server = Server::start_program(conf, |directory| {
            fs::write(directory.join("ca.pem"), &authority.pem).unwrap();
            program(directory, &format!("{WITHOUT_PROXIES}export HTTPS_PROXY={proxy}"))
        });
        run(
            &mut server.connect("template1", "postgres", ""),
            "create extension pg_session_jwt",
        );
        Internet { server, signers, hosts }
    }

    /// The key of a provider.
    pub fn signer(&self, name: &str) -> &Signer {
        &self.signers[name]
    }

    /// The number of requests for a URL so far.
    pub fn requests(&self, url: &str) -> usize {
        let (host, path) = split(url);
        let paths = self.hosts[&host].paths();
        paths.iter().filter(|it| **it == path).count()
    }
}

/// The address of a provider's document, and its text.
pub fn own_document(name: &str, case: &Case) -> Option<(String, String)> {
    let issuer = case.shape.issuer.trim_end_matches('/');
    let text = document(name)?.replace("$issuer", issuer).replace("$keys", case.keys);
    let below = match name {
        // One document for each user flow.
        "azure_ad_b2c" => "https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signin/v2.0",
        _ => issuer,
    };
    Some((format!("{below}{OPENID}"), text))
}

/// The host and the path of a URL.
fn split(url: &str) -> (String, String) {
    let rest = url.strip_prefix("https://").unwrap();
    let at = rest.find('/').unwrap();
    (rest[..at].to_owned(), rest[at..].to_owned())
}
