//! docs/gateway.md has what the program has.

use std::io::Write as _;
use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use pg_session_jwt_gateway::config::Config;
use testkit::root;

use crate::drivers::laid_out;
use crate::running::Gateway;
use crate::{ALICE, BOB, SERVER, database, token};

#[test]
fn the_page_has_each_option_with_its_default() {
    let page = std::fs::read_to_string(root().join("docs/gateway.md")).unwrap();
    let mebibytes = |text: &str| match text.parse::<usize>() {
        Ok(bytes) if bytes >= 1024 * 1024 => format!("{} MiB", bytes / 1024 / 1024),
        _ => text.to_owned(),
    };
    for argument in Config::command().get_arguments() {
        let Some(name) = argument.get_long().filter(|name| !["help", "version"].contains(name)) else {
            continue;
        };
        let row = page
            .lines()
            .find(|line| line.starts_with("| `--") && line.contains(&format!("`--{name}`")));
        let row = row.unwrap_or_else(|| panic!("--{name} is missing"));
        let default = argument
            .get_default_values()
            .first()
            .map(|value| mebibytes(value.to_str().unwrap()));
        if let Some(default) = default.filter(|default| default != "false") {
            let cell = row.split('|').nth(2).unwrap().trim().trim_matches('`');
            assert_eq!(cell, default, "--{name}");
        }
    }
}

#[test]
fn the_page_has_each_metric() {
    let page = std::fs::read_to_string(root().join("docs/gateway.md")).unwrap();
    let source = std::fs::read_to_string(root().join("gateway/src/metrics.rs")).unwrap();
    let names = source
        .lines()
        .filter_map(|line| line.split("= \"pg_session_jwt_gateway_").nth(1));
    let mut count = 0;
    for name in names.filter_map(|rest| rest.split('"').next()) {
        count += 1;
        assert!(
            page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}{{")),
            "{name} is missing"
        );
    }
    assert!(count > 10, "only {count} metrics were found");
}

/// What a reader of the page's JavaScript has besides: what each block leaves to the application.
const BEFORE: &str = "
    import { Pool } from '@neondatabase/serverless';
    import ws from 'ws';
    import { pgTable, text } from 'drizzle-orm/pg-core';
    const todos_table = pgTable('todos', { userId: text('user_id'), task: text() });
    const schema = { todos: todos_table };
    const [alice, bob] = process.env.TOKENS.split(' ');
    const getToken = async () => alice;
    const token = bob;
    const url = process.env.URL;";

/// The blocks in order; the second and the third use a second user's token.
const AFTER: &str = "
    console.log(todos.length);
    console.log((await sql`select user_id, task from todos`).map(Object.values).join());
    console.log(bobs.length);
    neonConfig.webSocketConstructor = ws;
    const client = await pool.connect();
    await client.query('begin');
    await client.query(\"insert into todos (task) values ('feed the cat')\");
    await client.query('commit');
    console.log((await client.query('select user_id, task from todos')).rows.map(Object.values).join());
    client.release();
    await pool.end();";

#[test]
fn the_javascript_of_the_page_runs() {
    let page = std::fs::read_to_string(root().join("docs/gateway.md")).unwrap();
    let blocks: Vec<&str> = page
        .split("```js\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0)
        .collect();
    let [http, drizzle, websocket] = blocks[..] else {
        panic!("{blocks:?}");
    };
    let database = database();
    let gateway = Gateway::start(&SERVER, &database, &[]);
    let drizzle = drizzle
        .replace("await db", "const bobs = await db")
        .replace("from(todos)", "from(todos_table)");
    let module = [BEFORE, http, &drizzle, websocket, AFTER]
        .join("\n")
        .replace("localhost:4444", &format!("127.0.0.1:{}", gateway.port))
        .replace("/mydb", &format!("/{database}"));
    let mut node = Command::new("node")
        .arg("--input-type=module")
        .current_dir(laid_out())
        .env("TOKENS", format!("{} {}", token(ALICE, 600), token(BOB, 600)))
        .env("URL", format!("postgresql://authenticated@localhost/{database}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(module.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{module}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("0\n{ALICE},water the plants\n0\n{BOB},feed the cat\n")
    );
}
