//! Issuers that publish a document about themselves.

use testkit::key_server::{Answer, KeyServer};
use testkit::provider::Provider;

pub const OPENID: &str = "/.well-known/openid-configuration";
pub const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// An issuer on loopback with a key set at `/keys`.
pub struct Issuer {
    pub url: String,
    pub provider: Provider,
    pub server: KeyServer,
}

impl Issuer {
    /// An issuer with this path, such as `/realm`, that publishes nothing yet.
    pub fn at(path: &str) -> Issuer {
        let server = KeyServer::start(Answer::Status(404));
        let url = server.url_at("127.0.0.1", path);
        Issuer {
            provider: Provider::new(&url).of_access_tokens(),
            url,
            server,
        }
    }

    /// An issuer that publishes its document at the OpenID address.
    pub fn start() -> Issuer {
        let issuer = Issuer::at("");
        issuer.publish(OPENID, "");
        issuer
    }

    /// Its entry in the setting, with further members.
    pub fn entry(&self, more: &str) -> String {
        format!(r#"{{"issuer":"{}"{more}}}"#, self.url)
    }

    /// Its document, with further members.
    pub fn document(&self, more: &str) -> String {
        document(&self.url, &self.server.url(), more)
    }

    /// Publishes the document at this path, and the key set.
    pub fn publish(&self, path: &str, more: &str) {
        self.answer(path, Answer::Body(self.document(more)));
    }

    /// Answers requests for the document in this way, and those for the key set as usual.
    pub fn answer(&self, path: &str, document: Answer) {
        let keys = Answer::Body(self.provider.key_set());
        self.server.answer(Answer::Paths(vec![
            (path.to_owned(), document),
            ("/keys".to_owned(), keys),
        ]));
    }

    /// The number of requests for the key set so far.
    pub fn key_requests(&self) -> usize {
        self.server.paths().iter().filter(|path| *path == "/keys").count()
    }
}

/// A document with these further members.
pub fn document(issuer: &str, jwks_uri: &str, more: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"{more}}}"#)
}
