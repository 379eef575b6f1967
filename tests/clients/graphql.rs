//! docs/graphql.md: resolvers on graphql-js, and PostGraphile.

use testkit::guide::page;

use crate::typescript::{PROJECT, node};
use crate::{SERVER, connects, database_for_visitors, output};

const TOKENS: &str = "const { ALICE_TOKEN, BOB_TOKEN, EXPIRED_TOKEN, ALICE_ID } = process.env;";

const OPERATIONS: &str = r#"
    const { TokenError } = await import('pg-session-jwt');
    const shown = (token, source) => answer(token, source).then(
      (answer) => console.log(JSON.stringify(answer)),
      (error) => console.log(error instanceof TokenError, error.status, error.code, error.message));
    await shown(ALICE_TOKEN, 'mutation { addTodo(task: "water the plants") { task } }');
    await shown(ALICE_TOKEN, '{ todos { task } }');
    await shown(BOB_TOKEN, '{ todos { task } }');
    await shown(undefined, '{ todos { task } }');
    await shown(EXPIRED_TOKEN, '{ todos { task } }');
    await shown(ALICE_TOKEN, '{ todos { task } broken }');
    await shown(BOB_TOKEN, '{ todos { task } }');
    await pool.end();
"#;

const REQUESTS: &str = r#"
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    const shown = async (token, query) => {
      const headers = { 'content-type': 'application/json', ...(token ? { 'x-token': token } : {}) };
      const address = `http://127.0.0.1:${server.address().port}/graphql`;
      const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify({ query }) });
      const { data, errors } = await response.json();
      console.log(response.status, JSON.stringify(data), errors?.[0].message);
    };
    const all = '{ allTodos { nodes { task } } }';
    await shown(ALICE_TOKEN, 'mutation { createTodo(input: { todo: { task: "water the plants" } }) { todo { task } } }');
    for (const token of [ALICE_TOKEN, BOB_TOKEN, undefined, EXPIRED_TOKEN]) await shown(token, all);
    await shown(BOB_TOKEN, `mutation { createTodo(input: { todo: { task: "a gift", userId: "${ALICE_ID}" } }) { todo { task } } }`);
    await shown(undefined, all);
    server.close();
    server.closeAllConnections();
    await pool.end();
    process.exit(0); // PostGraphile watches the schema
"#;

/// What the block of the page prints with these lines after it.
fn printed(name: &str, after: &str) -> String {
    let database = database_for_visitors();
    let fence = format!("js {name}");
    let block = page("graphql").into_iter().find(|block| block.fence == fence).unwrap();
    let file = PROJECT.join(format!("{name}.mjs"));
    std::fs::write(&file, format!("{}\n{TOKENS}\n{after}", block.text)).unwrap();
    output(connects(node().arg(&file), SERVER.port(), &database))
}

#[test]
fn resolvers() {
    let expected = "{\"data\":{\"addTodo\":{\"task\":\"water the plants\"}}}\n\
                    {\"data\":{\"todos\":[{\"task\":\"water the plants\"}]}}\n\
                    {\"data\":{\"todos\":[]}}\n\
                    {\"data\":{\"todos\":[]}}\n\
                    true 401 28000 Token used after it has expired\n\
                    false undefined 22012 division by zero\n\
                    {\"data\":{\"todos\":[]}}\n";
    assert_eq!(printed("resolvers", OPERATIONS), expected);
}

#[test]
fn postgraphile() {
    let expected = "200 {\"createTodo\":{\"todo\":{\"task\":\"water the plants\"}}} undefined\n\
                    200 {\"allTodos\":{\"nodes\":[{\"task\":\"water the plants\"}]}} undefined\n\
                    200 {\"allTodos\":{\"nodes\":[]}} undefined\n\
                    200 {\"allTodos\":{\"nodes\":[]}} undefined\n\
                    500 undefined Token used after it has expired\n\
                    200 {\"createTodo\":null} new row violates row-level security policy for table \"todos\"\n\
                    200 {\"allTodos\":{\"nodes\":[]}} undefined\n";
    assert_eq!(printed("postgraphile", REQUESTS), expected);
}
