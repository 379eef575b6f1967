//! The npm package of clients/typescript: its content, its types, and what it promises of each driver and ORM.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use testkit::signer::Signer;

use crate::{ALICE, BOB, SERVER, connects, database, database_for_visitors, laid_out, output, token, token_of};

const CONTENT: &str = "\
LICENSE
README.md
package.json
src/connection.js
src/drizzle.d.ts
src/drizzle.js
src/index.d.ts
src/index.js
src/knex.d.ts
src/knex.js
src/kysely.d.ts
src/kysely.js
src/neon-http.d.ts
src/neon-http.js
src/pg.d.ts
src/pg.js
src/postgres.d.ts
src/postgres.js
src/prisma.d.ts
src/prisma.js
src/redact.js
src/request.js
src/sequelize.d.ts
src/sequelize.js
src/typeorm.d.ts
src/typeorm.js
";

/// A project with the drivers and the package as npm packs it, beside each other.
pub static PROJECT: LazyLock<PathBuf> = LazyLock::new(|| {
    let project = SERVER.directory().join("typescript");
    let modules = project.join("node_modules");
    link_modules("typescript", &modules);
    for entry in fs::read_dir(laid_out().join("typescript")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, project.join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut tar = Command::new("tar");
    output(tar.arg("-xzf").arg(packed(&project)).arg("-C").arg(&project));
    fs::rename(project.join("package"), modules.join("pg-session-jwt")).unwrap();
    generate_prisma_client(&project);
    project
});

/// Makes a directory of modules with the installed packages of a client.
pub fn link_modules(client: &str, modules: &Path) {
    fs::create_dir_all(modules).unwrap();
    for entry in fs::read_dir(laid_out().join(client).join("node_modules")).unwrap() {
        let path = entry.unwrap().path();
        symlink(&path, modules.join(path.file_name().unwrap())).unwrap();
    }
}

/// Has npm pack the package into that directory.
fn packed(directory: &Path) -> PathBuf {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"]).arg(directory);
    let name = output(npm.current_dir(testkit::root().join("clients/typescript")));
    directory.join(name.trim())
}

/// With the adapter Prisma needs none of its engines, but would download them unless variables name their files.
fn generate_prisma_client(project: &Path) {
    let mut prisma = Command::new(project.join("node_modules/.bin/prisma"));
    let engine = project.join("package.json");
    prisma
        .args(["generate", "--no-hints", "--schema", "schema.prisma"])
        .env("PRISMA_QUERY_ENGINE_LIBRARY", &engine)
        .env("PRISMA_SCHEMA_ENGINE_BINARY", &engine)
        .env("CHECKPOINT_DISABLE", "1")
        .env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    output(prisma.current_dir(project));
}

/// A program in the project, which finds modules beside its file and not where their links lead.
pub fn node() -> Command {
    let mut node = Command::new("node");
    node.arg("--preserve-symlinks").current_dir(&*PROJECT);
    node
}

#[test]
fn content_of_the_package() {
    let mut tar = Command::new("tar");
    let archive = packed(SERVER.directory());
    let listed = output(tar.arg("-tzf").arg(archive));
    let mut files: Vec<&str> = listed
        .lines()
        .map(|file| file.strip_prefix("package/").unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(files.join("\n") + "\n", CONTENT);
    let manifest = fs::read_to_string(PROJECT.join("node_modules/pg-session-jwt/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let fields = manifest.as_object().unwrap();
    for field in ["dependencies", "peerDependencies", "optionalDependencies", "scripts"] {
        assert!(!fields.contains_key(field), "{field}");
    }
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn import_and_require_load_the_same() {
    let program = "import { createRequire } from 'node:module';
        import * as imported from 'pg-session-jwt';
        import { withToken } from 'pg-session-jwt/pg';
        const require = createRequire(import.meta.url);
        console.log(imported.TokenError === require('pg-session-jwt').TokenError,
            withToken === require('pg-session-jwt/pg').withToken);";
    let mut node = node();
    node.args(["--input-type=module", "--eval", program]);
    assert_eq!(output(&mut node), "true true\n");
}

#[test]
fn types_of_es_modules_and_of_commonjs() {
    fs::copy(PROJECT.join("types.ts"), PROJECT.join("types.cts")).unwrap();
    for project in ["tsconfig.json", "tsconfig.commonjs.json"] {
        let mut tsc = Command::new(PROJECT.join("node_modules/.bin/tsc"));
        assert_eq!(output(tsc.args(["-p", project]).current_dir(&*PROJECT)), "");
    }
}

/// The block of JavaScript in a page of docs/.
fn block_of(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let (_, from) = text.split_once("```js\n").expect("a block of JavaScript");
    from.split_once("```\n").unwrap().0.to_owned()
}

/// Runs a block of a page among other lines, as a module.
fn printed(database: &str, before: &str, block: &str, after: &str) -> String {
    let mut node = node();
    node.args(["--input-type=module", "--eval", &format!("{before}\n{block}\n{after}")]);
    output(connects(&mut node, SERVER.port(), database))
}

#[test]
fn block_of_the_provider_pages() {
    let pages = testkit::root().join("docs/providers");
    let mut blocks: Vec<String> = fs::read_dir(pages)
        .unwrap()
        .map(|page| page.unwrap().path())
        .filter(|page| !page.ends_with("README.md"))
        .map(|page| block_of(&page))
        .collect();
    assert_eq!(blocks.len(), 10);
    blocks.dedup();
    assert_eq!(blocks.len(), 1);
    let before = "import pg from 'pg'; const pool = new pg.Pool(); const token = process.env.ALICE_TOKEN;
        await withToken(pool, token, (client) => client.query(`insert into todos (task) values ('water the plants')`));";
    let after = "console.log(rows.map(({ task }) => task)); await pool.end();";
    assert_eq!(
        printed(&database(), before, &blocks[0], after),
        "[ 'water the plants' ]\n"
    );
}

#[test]
fn server_of_the_page() {
    let database = database();
    let mut admin = SERVER.connect(&database, "postgres", "");
    let visitors = "grant anonymous to app; grant select on todos to anonymous;
        insert into todos (user_id, task) values ('a11ce000-0000-4000-8000-000000000001', 'water the plants')";
    admin.batch_execute(visitors).unwrap();
    let after = "await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
        const { ALICE_TOKEN, BOB_TOKEN, EXPIRED_TOKEN } = process.env;
        for (const token of [ALICE_TOKEN, EXPIRED_TOKEN, undefined, BOB_TOKEN]) {
          const headers = token ? { authorization: `Bearer ${token}` } : {};
          const response = await fetch(`http://127.0.0.1:${server.address().port}`, { headers });
          console.log(response.status, await response.text());
        }
        server.close(); server.closeAllConnections(); await pool.end();";
    let block = block_of(&testkit::root().join("docs/typescript.md"));
    let expected = "200 [{\"task\":\"water the plants\"}]\n401 \n200 []\n200 []\n";
    assert_eq!(printed(&database, "", &block, after), expected);
}

#[test]
fn caches_of_results() {
    let database = database_for_visitors();
    let mut node = node();
    node.args(["--test-reporter=spec", "caches.test.mjs"]);
    let printed = output(connects(&mut node, SERVER.port(), &database));
    assert!(printed.contains("\nℹ pass 3\n"), "{printed}");
}

#[test]
fn requests_of_each_driver() {
    let database = database_for_visitors();
    let foreign = token_of(&crate::SIGNER, "https://other.example/", ALICE, 600);
    let forged = token_of(&Signer::ed25519(), "https://id.example/", ALICE, 600);
    let tokens = [token(ALICE, 600), token(BOB, 600), token(ALICE, -600), forged, foreign];
    let mut node = node();
    node.args(["--test-reporter=spec", "requests.test.mjs"]);
    let program = connects(&mut node, SERVER.port(), &database);
    program.env("ALICE_TOKEN_TO_BIND", token(ALICE, 500));
    for (name, token) in ["ALICE", "BOB", "EXPIRED", "FORGED", "FOREIGN"].iter().zip(&tokens) {
        program.env(format!("{name}_TOKEN"), token);
    }
    let ran = program.env("BOB_ID", BOB).output().unwrap();
    let [printed, logged] = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(ran.status.success(), "{printed}");
    // Ten drivers with 20 tests each. Eight skip the round trips, eight what only postgres does, and Prisma one more.
    assert!(
        printed.contains("\nℹ pass 183\n") && printed.contains("\nℹ skipped 17\n"),
        "{printed}"
    );
    // The drivers did log, but no token. Its signature is searched for, because a part could be logged.
    assert!(logged.contains("insert into"));
    for text in [&printed, &logged, &SERVER.log()] {
        for token in &tokens {
            assert!(!text.contains(token.rsplit('.').next().unwrap()));
        }
    }
}
