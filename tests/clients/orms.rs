//! docs/prisma.md, docs/knex.md, docs/typeorm.md and docs/sequelize.md: the blocks of JavaScript of each page as one program.

use testkit::guide::page;

use crate::typescript::{PROJECT, node};
use crate::{ALICE, SERVER, connects, database_for_visitors, output};

/// Two users, a visitor, and what the pages say of traps and errors. `raw` and `within` send SQL by the means of the ORM.
const PROGRAM: &str = "
    import { inspect } from 'node:util';
    const { ALICE_TOKEN, BOB_TOKEN, EXPIRED_TOKEN, ALICE_ID } = process.env;
    const failure = (promise) => promise.then(() => console.log('succeeded'), (error) => {
      const whole = inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
      const code = error.code ?? error.parent?.code;
      const token = whole.includes(EXPIRED_TOKEN) ? 'with the token' : 'without the token';
      console.log(`${error.constructor.name} ${code} ${error.status} ${token}: ${error.message.trim().split('\\n').at(-1)}`);
    });
    await addTask(ALICE_TOKEN, 'water the plants');
    await addTask(BOB_TOKEN, 'feed the cat');
    console.log(await tasksOf(ALICE_TOKEN), await tasksOf(BOB_TOKEN), await tasksOf(undefined));
    await failure(tasksOf(EXPIRED_TOKEN));
    await failure(withinToken(BOB_TOKEN, `insert into todos (task, user_id) values ('a gift', '${ALICE_ID}')`));
    await failure(withoutTheTransaction(ALICE_TOKEN));
    await failure(onAnyConnection(EXPIRED_TOKEN));
    await onAnyConnection(ALICE_TOKEN);
    console.log((await raw('select auth.user_id() as user'))[0].user === ALICE_ID);
    await close();
";

/// What it prints: the messages of PostgreSQL behind `insert` and `select`, which Knex adds, and the ORM's own error for a token.
fn expected(insert: &str, select: &str, own: &str) -> String {
    format!(
        "[ 'water the plants' ] [ 'feed the cat' ] []\n\
         TokenError 28000 401 without the token: Token used after it has expired\n\
         ForbiddenError 42501 403 without the token: {insert}new row violates row-level security policy for table \"todos\"\n\
         ForbiddenError 42501 403 without the token: {select}permission denied for table todos\n\
         {own}\n\
         true\n"
    )
}

/// Runs the page with the functions that the program needs of its ORM.
fn printed(name: &str, functions: &str) -> String {
    let database = database_for_visitors();
    let mut program = String::new();
    for block in page(name).iter().filter(|block| block.fence == "js") {
        program.push_str(&block.text);
    }
    program += functions;
    program += PROGRAM;
    let file = PROJECT.join(format!("{name}.mjs"));
    std::fs::write(&file, program).unwrap();
    output(connects(node().arg(&file), SERVER.port(), &database))
}

#[test]
fn prisma() {
    let [schema] = &page("prisma")
        .into_iter()
        .filter(|block| block.fence == "prisma")
        .map(|block| block.text)
        .collect::<Vec<_>>()[..]
    else {
        panic!("one schema");
    };
    assert_eq!(*schema, std::fs::read_to_string(PROJECT.join("schema.prisma")).unwrap());
    let functions = "
        const withinToken = (token, text) => prisma.$withToken(token, (tx) => tx.$executeRawUnsafe(text));
        const raw = (text) => prisma.$queryRawUnsafe(text);
        const close = () => prisma.$disconnect();
    ";
    let own = "PrismaClientKnownRequestError P2010 undefined without the token: \
               Raw query failed. Code: `28000`. Message: `Token used after it has expired`";
    assert_eq!(printed("prisma", functions), expected("", "", own));
}

#[test]
fn knex() {
    let functions = "
        const withinToken = (token, text) => withToken(knex, token, (trx) => trx.raw(text));
        const raw = async (text) => (await knex.raw(text)).rows;
        const close = () => knex.destroy();
    ";
    let insert = format!("insert into todos (task, user_id) values ('a gift', '{ALICE}') - ");
    let own = "DatabaseError 28000 undefined without the token: SELECT auth.jwt_session_init($1) \
               FROM set_config('role', 'authenticated', false) - Token used after it has expired";
    let expected = expected(&insert, "select * from \"todos\" - ", own);
    assert_eq!(printed("knex", functions), expected);
}

#[test]
fn typeorm() {
    let functions = "
        const withinToken = (token, text) => withToken(dataSource, token, (manager) => manager.query(text));
        const raw = (text) => dataSource.query(text);
        const close = () => dataSource.destroy();
    ";
    let own = "QueryFailedError 28000 undefined with the token: Token used after it has expired";
    assert_eq!(printed("typeorm", functions), expected("", "", own));
}

#[test]
fn sequelize() {
    let functions = "
        const withinToken = (token, text) => withToken(sequelize, token, (transaction) => sequelize.query(text, { transaction }));
        const raw = (text) => sequelize.query(text, { type: 'SELECT' });
        const close = () => sequelize.close();
    ";
    let own = "DatabaseError 28000 undefined with the token: Token used after it has expired";
    assert_eq!(printed("sequelize", functions), expected("", "", own));
}
