// What the driver offers over HTTP.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ALICE_ID, ALICE_TOKEN, BOB_ID, BOB_TOKEN, NeonDbError, Pool, VERSION, administrator, as, fieldsOf, neon, neonConfig,
  query, thrown, url,
} from './driver.mjs';

const sql = as(ALICE_TOKEN);
const admin = await administrator();
after(() => admin.end());

test('a tagged template', async () => {
  const [row] = await sql`select ${1}::int as number, ${'it\'s'} as text, ${null}::text as nothing, ${[1, 2]}::int[] as list,
    ${Buffer.from([0, 255])}::bytea as bytes, ${{ a: 1 }}::jsonb as object, auth.user_id() as "user", current_user as role`;
  assert.deepEqual({ ...row }, {
    number: 1, text: 'it\'s', nothing: null, list: [1, 2], bytes: Buffer.from([0, 255]), object: { a: 1 }, user: ALICE_ID,
    role: 'authenticated',
  });
});

test('templates inside a template', { skip: VERSION.startsWith('0.') && 'since 1.0' }, async () => {
  const condition = sql`number > ${1}`;
  assert.deepEqual(
    await sql`select number from generate_series(1, 3) as ${sql.unsafe('number')} where ${condition} and number < ${3}`,
    [{ number: 2 }],
  );
});

test('a text with parameters', async () => {
  assert.deepEqual(await query(sql, 'select $1::int + $2::int as sum', [1, 2]), [{ sum: 3 }]);
  assert.deepEqual(await query(sql, 'select 1 as one'), [{ one: 1 }]);
  assert.deepEqual(await query(sql, 'select 1, 2 as b', [], { arrayMode: true }), [[1, 2]]);
  const full = await query(sql, 'values (1), (2)', [], { fullResults: true });
  assert.deepEqual(full.rows, [{ column1: 1 }, { column1: 2 }]);
  assert.equal(full.fields[0].dataTypeID, 23);
});

test('options of neon()', async () => {
  const arrays = as(ALICE_TOKEN, { arrayMode: true, fullResults: true });
  const { rows, command, rowCount, rowAsArray } = await arrays`select 1, 'a'`;
  assert.deepEqual({ rows, command, rowCount, rowAsArray }, { rows: [[1, 'a']], command: 'SELECT', rowCount: 1, rowAsArray: true });
});

test('the command and the number of its rows', async () => {
  const full = as(ALICE_TOKEN, { fullResults: true });
  const results = await full.transaction((tx) => [
    tx`insert into things (id, name) values (10, 'a'), (11, 'b'), (12, 'c')`, tx`update things set name = 'd' where id > 10`,
    tx`delete from things where id >= 10 returning id`, tx`create temporary table made (a int)`, tx`set local work_mem = '5MB'`, tx`  `,
  ]);
  assert.deepEqual(
    results.map(({ command, rowCount, rows }) => [command, rowCount, rows.length]),
    [['INSERT', 3, 0], ['UPDATE', 2, 0], ['DELETE', 3, 3], ['CREATE', null, 0], ['SET', null, 0], ['', null, 0]],
  );
});

test('a transaction as an array and as a function', async () => {
  const list = await sql.transaction([sql`select 1 as a`, query(sql, 'select $1::int as b', [2])]);
  assert.deepEqual(list, [[{ a: 1 }], [{ b: 2 }]]);
  const made = await sql.transaction((tx) => [tx`select txid_current() as id`, tx`select txid_current() as id`]);
  assert.equal(made[0][0].id, made[1][0].id);
  assert.deepEqual(await sql.transaction([sql`select 1`, sql`select 2 as b`], { arrayMode: true }), [[[1]], [[2]]]);
  const full = await sql.transaction([sql`select 1 as a`], { fullResults: true });
  assert.deepEqual(full[0].rows, [{ a: 1 }]);
  assert.equal(full[0].command, 'SELECT');
});

test('an empty transaction', async () => {
  assert.deepEqual(await sql.transaction([]), []);
});

test('options of a transaction', async () => {
  const settings = (tx) => ['isolation', 'read_only', 'deferrable'].map((name) => tx`select current_setting(${`transaction_${name}`}) as value`);
  for (const [isolationLevel, isolation] of [
    ['ReadUncommitted', 'read uncommitted'], ['ReadCommitted', 'read committed'], ['RepeatableRead', 'repeatable read'], ['Serializable', 'serializable'],
  ]) {
    for (const [readOnly, deferrable] of [[true, true], [false, false], [undefined, undefined]]) {
      const results = await sql.transaction(settings, { isolationLevel, readOnly, deferrable });
      const onOff = (value) => (value ? 'on' : 'off');
      assert.deepEqual(results.map(([row]) => row.value), [isolation, onOff(readOnly), onOff(deferrable)]);
    }
  }
  const error = await thrown(sql.transaction((tx) => [tx`insert into things (id, name) values (20, 'x')`], { readOnly: true }));
  assert.equal(error.code, '25006');
});

test('a transaction is done as a whole or not at all', async () => {
  const error = await thrown(sql.transaction((tx) => [tx`insert into things (id, name) values (30, 'x')`, tx`select 1 / 0`]));
  assert.equal(error.code, '22012');
  assert.deepEqual(await sql`select id from things where id = 30`, []);
});

test('abort ends the statement in PostgreSQL too', async () => {
  // The statement holds a lock while it sleeps. What it does is not to be seen in pg_stat_activity.
  const locks = "select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
  const sleeping = async () => (await admin.query(locks)).rowCount;
  const until = async (count) => {
    const limit = Date.now() + 20_000;
    while ((await sleeping()) !== count) {
      assert.ok(Date.now() < limit, `still not ${count}`);
      await pause(20);
    }
  };
  const controller = new AbortController();
  const answer = thrown(query(sql, 'select pg_advisory_xact_lock(1), pg_sleep(60)', [], { fetchOptions: { signal: controller.signal } }));
  await until(1);
  controller.abort();
  const error = await answer;
  assert.ok(error instanceof NeonDbError);
  assert.equal(error.sourceError.name, 'AbortError');
  await until(0);
  const early = await thrown(query(sql, 'select 1', [], { fetchOptions: { signal: AbortSignal.abort() } }));
  assert.equal(early.sourceError.name, 'AbortError');
});

test('tokens: a function, a promise, and one for a single query', async () => {
  const user = async (sql, options) => (await query(sql, 'select auth.user_id() as id', [], options))[0].id;
  assert.equal(await user(neon(url('authenticated'), { authToken: () => BOB_TOKEN })), BOB_ID);
  assert.equal(await user(neon(url('authenticated'), { authToken: async () => BOB_TOKEN })), BOB_ID);
  assert.equal(await user(sql, { authToken: BOB_TOKEN }), BOB_ID);
  assert.equal(await user(neon(url('authenticated')), { authToken: BOB_TOKEN }), BOB_ID);
  const [[{ id }]] = await neon(url('authenticated'), { authToken: BOB_TOKEN }).transaction((tx) => [tx`select auth.user_id() as id`]);
  assert.equal(id, BOB_ID);
});

test('a pool whose queries are requests', async () => {
  neonConfig.poolQueryViaFetch = true;
  try {
    const pool = new Pool({ connectionString: url('anonymous') });
    const { rows, command } = await pool.query('select text from notices where id = $1', [2]);
    assert.deepEqual([rows, command], [[{ text: 'closed on Mondays' }], 'SELECT']);
    await pool.end();
  } finally {
    neonConfig.poolQueryViaFetch = false;
  }
});

test('large requests and results', async () => {
  const text = 'é"\\\n'.repeat(500_000);
  const [row] = await sql`select ${text} as text, length(${text}) as length`;
  assert.equal(row.text, text);
  assert.equal(row.length, 2_000_000);
  const rows = await sql`select n, repeat('x', 100) as filler from generate_series(1, 50000) n`;
  assert.equal(rows.length, 50_000);
  assert.deepEqual(rows.at(-1), { n: 50_000, filler: 'x'.repeat(100) });
});

test('many requests at once, of two users', async () => {
  const users = await Promise.all(Array.from({ length: 100 }, (_, number) =>
    query(as(number % 2 ? ALICE_TOKEN : BOB_TOKEN), 'select auth.user_id() as id, $1::int as number', [number])));
  for (const [number, [row]] of users.entries()) assert.deepEqual({ ...row }, { id: number % 2 ? ALICE_ID : BOB_ID, number });
});

test('statements that control the transaction', async () => {
  for (const text of ['commit', ' /* x */ ROLLBACK', 'end', 'begin', 'start transaction', "prepare transaction 'x'", 'abort and chain']) {
    const error = await thrown(query(sql, text));
    assert.deepEqual([error.code, error.name], ['2D000', 'NeonDbError'], text);
    const { code } = await thrown(sql.transaction((tx) => [tx`insert into things (id, name) values (40, 'x')`, query(tx, text)]));
    assert.equal(code, '2D000', text);
  }
  assert.deepEqual(await sql`select id from things where id = 40`, []);
  // A savepoint is a part of it.
  const rows = await sql.transaction((tx) => [
    tx`savepoint a`, tx`insert into things (id, name) values (41, 'x')`, tx`rollback to a`, tx`select count(*)::int as n from things where id = 41`,
  ]);
  assert.deepEqual(rows[3], [{ n: 0 }]);
});

test('an error at COMMIT is the error of the request', async () => {
  await admin.query('drop table if exists deferred');
  await admin.query('create table deferred (id int unique deferrable initially deferred)');
  await admin.query('grant all on deferred to authenticated');
  const error = await thrown(sql`insert into deferred values (1), (1)`);
  assert.deepEqual([error.code, error.constraint], ['23505', 'deferred_id_key']);
  assert.equal(fieldsOf(error).detail, 'Key (id)=(1) already exists.');
  assert.deepEqual((await admin.query('select * from deferred')).rows, []);
});
