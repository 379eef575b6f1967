//! Deployments that follow the README, and the findings of auth.check().

use std::fs;
use std::sync::LazyLock;

use postgres::Client;

use testkit::cluster::{Cluster, Turn};
use testkit::guide::blocks_of;
use testkit::server::Server;
use testkit::session::{one, rows, run};

/// Clusters with the settings that the README recommends: one for each of four tests at the same time.
static CLUSTERS: [LazyLock<Cluster>; 4] = [const { LazyLock::new(|| Cluster::new(start())) }; 4];

/// One of these clusters, empty.
pub fn turn() -> Turn<'static> {
    let mut clusters = CLUSTERS.iter();
    clusters
        .find_map(|cluster| cluster.try_turn())
        .unwrap_or_else(|| CLUSTERS[0].turn())
}

/// Starts a server with those settings.
pub fn start() -> Server {
    Server::start_empty(&page_block("README.md", "conf", ""))
}

/// Makes a database `site` that is set up as the README says.
pub fn set_up(server: &Server) -> Client {
    run(&mut server.connect("postgres", "postgres", ""), "create database site");
    let mut admin = server.connect("site", "postgres", "");
    run(&mut admin, &page_block("README.md", "sql setup", "CREATE EXTENSION"));
    run(&mut admin, &page_block("README.md", "sql", "CREATE TABLE todos"));
    admin
}

/// A database that is set up as the README says, in a cluster that one test at a time uses.
pub struct Site {
    pub cluster: Turn<'static>,
    pub admin: Client,
}

impl Site {
    pub fn new() -> Site {
        let cluster = turn();
        let admin = set_up(&cluster);
        Site { cluster, admin }
    }

    /// Asserts that there are exactly these findings after `make`, and none after `fix`.
    #[track_caller]
    pub fn finds(&mut self, make: &str, expected: &[(&str, &str)], fix: &str) {
        run(&mut self.admin, make);
        assert_eq!(found(&mut self.admin), owned(expected), "{make}");
        run(&mut self.admin, fix);
        assert_eq!(found(&mut self.admin), [], "after {fix}");
    }
}

pub fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(finding, object): &(&str, &str)| ((*finding).to_owned(), (*object).to_owned());
    expected.iter().map(own).collect()
}

/// Finding and object of each row.
pub fn found(client: &mut Client) -> Vec<(String, String)> {
    let all = rows(client, "select finding, object from auth.check()");
    let text = |cell: &Option<String>| cell.clone().unwrap();
    all.iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

/// A column of the one row with this finding.
pub fn column(client: &mut Client, column: &str, finding: &str) -> String {
    one(
        client,
        &format!("select {column} from auth.check() where finding = '{finding}'"),
    )
}

/// The text of a file of the project.
pub fn file(path: &str) -> String {
    fs::read_to_string(testkit::root().join(path)).unwrap()
}

/// The settings of the README for a server whose proxy brings a key.
pub fn conf_with_proxy() -> String {
    let conf = page_block("README.md", "conf", "");
    let with_proxy = conf.replace("pg_session_jwt.client_keys = off\n", "");
    assert_ne!(conf, with_proxy);
    with_proxy
}

/// The first block of a page with this fence and beginning.
pub fn page_block(page: &str, fence: &str, begin: &str) -> String {
    let mut all = blocks_of(page).into_iter();
    all.find(|block| block.fence == fence && block.text.starts_with(begin))
        .unwrap()
        .text
}
