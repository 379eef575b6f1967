//! The catalogs of released versions before 1.0.0, made from the scripts in tests/fixtures/upgrade.

use std::fs;

use postgres::Client;

use testkit::cluster::Turn;
use testkit::session::run;

const SCRIPTS: [(&str, &str); 3] = [
    (
        "pg_session_jwt--0.3.1.sql",
        include_str!("../../fixtures/upgrade/pg_session_jwt--0.3.1.sql"),
    ),
    (
        "pg_session_jwt--0.4.0.sql",
        include_str!("../../fixtures/upgrade/pg_session_jwt--0.4.0.sql"),
    ),
    (
        "pg_session_jwt--0.5.0.sql",
        include_str!("../../fixtures/upgrade/pg_session_jwt--0.5.0.sql"),
    ),
];
const OLD_STEP: (&str, &str) = (
    "pg_session_jwt--0.4.0--0.5.0.sql",
    include_str!("../../fixtures/upgrade/pg_session_jwt--0.4.0--0.5.0.sql"),
);

/// One origin of an old catalog.
#[derive(Debug, Clone, Copy)]
pub struct OldVersion {
    pub version: &'static str,
    /// Installed as 0.4.0 and updated to 0.5.0 by that version's own script.
    updated: bool,
    /// The marking of the functions that read claims.
    reads: &'static str,
}

pub const VERSION_0_5_0: OldVersion = OldVersion {
    version: "0.5.0",
    updated: false,
    reads: "STABLE PARALLEL SAFE",
};

/// Every old version, by every way, with every marking.
pub fn all() -> impl Iterator<Item = OldVersion> {
    let ways = [("0.3.1", false), ("0.4.0", false), ("0.5.0", false), ("0.5.0", true)];
    ways.into_iter().flat_map(|(version, updated)| {
        ["", "STABLE PARALLEL SAFE"].map(|reads| OldVersion {
            version,
            updated,
            reads,
        })
    })
}

impl OldVersion {
    /// Whether it had `uid()` and `jwt()`.
    pub fn has_uid(&self) -> bool {
        self.version != "0.3.1"
    }

    /// Whether it had `organization()` and `organization_id()`.
    pub fn has_organization(&self) -> bool {
        self.version == "0.5.0"
    }

    /// Puts the old scripts into the cluster's extension directory.
    pub fn offer(&self, cluster: &Turn) {
        for script in &SCRIPTS {
            self.write(cluster, script);
        }
    }

    fn write(&self, cluster: &Turn, (name, text): &(&str, &str)) {
        assert!(text.contains("/* reads */"), "{name}");
        fs::write(
            cluster.extension_directory().join(name),
            text.replace("/* reads */", self.reads),
        )
        .unwrap();
    }

    /// Installs it in the database of this client.
    pub fn install(&self, cluster: &Turn, client: &mut Client) {
        self.offer(cluster);
        if self.updated {
            let step = cluster.extension_directory().join(OLD_STEP.0);
            let ours = fs::read(&step).unwrap();
            run(client, "create extension pg_session_jwt version '0.4.0'");
            self.write(cluster, &OLD_STEP);
            run(client, "alter extension pg_session_jwt update to '0.5.0'");
            fs::write(&step, ours).unwrap();
        } else {
            run(
                client,
                &format!("create extension pg_session_jwt version '{}'", self.version),
            );
        }
        run(
            client,
            "comment on extension pg_session_jwt is 'the comment of that time'",
        );
    }
}
