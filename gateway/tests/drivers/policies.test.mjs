// Row-level security as the guides write it: two users, rejected tokens, and no token. The table is empty at first.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  ALICE_ID, ALICE_TOKEN, BOB_ID, BOB_TOKEN, EXPIRED_TOKEN, FOREIGN_TOKEN, FORGED_TOKEN, administrator,
  as, neon, query, thrown, url,
} from './driver.mjs';

const alice = as(ALICE_TOKEN);
const bob = as(BOB_TOKEN);
const anonymous = as();
const admin = await administrator();
after(() => admin.end());
const rows = async () => (await admin.query({ text: 'select user_id, task from todos order by id', rowMode: 'array' })).rows;
const HERS = [[ALICE_ID, 'water the plants'], [ALICE_ID, 'call bob']];
const HIS = [[BOB_ID, 'feed the cat']];

test('the token fills the column', async () => {
  assert.deepEqual(await alice`insert into todos (task) values ('water the plants') returning user_id, task`, [{ user_id: ALICE_ID, task: HERS[0][1] }]);
  await bob`insert into todos (task) values ('feed the cat')`;
  await alice.transaction((tx) => [tx`insert into todos (task) values (${'call bob'})`]);
  assert.deepEqual(await rows(), [HERS[0], HIS[0], HERS[1]]);
});

test('each sees only their own rows', async () => {
  for (let round = 0; round < 3; round++) {
    assert.deepEqual((await alice`select user_id, task from todos order by id`).map(Object.values), HERS);
    assert.deepEqual((await bob`select user_id, task from todos order by id`).map(Object.values), HIS);
    const [, seen] = await bob.transaction((tx) => [tx`select 1`, tx`select user_id, task from todos`]);
    assert.deepEqual(seen.map(Object.values), HIS);
    assert.deepEqual(await anonymous`select * from todos`, []);
  }
});

test('each changes only their own rows', async () => {
  assert.deepEqual(await bob`update todos set task = 'mine' where user_id = ${ALICE_ID} returning *`, []);
  assert.deepEqual(await bob`delete from todos where user_id = ${ALICE_ID} returning *`, []);
  for (const text of ["insert into todos (task, user_id) values ('a gift', $1)", 'update todos set user_id = $1']) {
    const { code, message } = await thrown(query(bob, text, [ALICE_ID]));
    assert.deepEqual([code, message], ['42501', 'new row violates row-level security policy for table "todos"']);
  }
  assert.deepEqual(await rows(), [HERS[0], HIS[0], HERS[1]]);
});

test('a token that PostgreSQL rejects', async () => {
  const rejected = [
    [EXPIRED_TOKEN, '28000', 'Token used after it has expired'],
    [FORGED_TOKEN, '28000', 'invalid JWT signature'],
    [`${ALICE_TOKEN.slice(0, -4)}AAAA`, '28000', 'invalid JWT signature'],
    ['eyJ.eyJ', '28000', 'invalid JWT encoding'],
    [FOREIGN_TOKEN, '28000', 'JWT issuer is not trusted'],
  ];
  for (const [token, code, message] of rejected) {
    const single = await thrown(as(token)`insert into todos (task) values ('x')`);
    assert.deepEqual([single.code, single.message, single.name], [code, message, 'NeonDbError']);
    const batch = await thrown(as(token).transaction((tx) => [tx`insert into todos (task) values ('x')`]));
    assert.deepEqual([batch.code, batch.message, batch.name], [code, message, 'NeonDbError']);
    // The connection is still good, for others.
    assert.equal((await alice`select * from todos`).length, 2);
  }
  assert.deepEqual(await rows(), [HERS[0], HIS[0], HERS[1]]);
});

test('no token', async () => {
  for (const options of [{}, { authToken: '' }]) {
    const error = await thrown(neon(url('authenticated'), options)`select 1`);
    assert.deepEqual([error.name, error.code, error.message], ['NeonDbError', '28000', 'role requires a token']);
  }
  assert.deepEqual(await anonymous`select auth.user_id() as id, current_user as role, session_user as login`, [{ id: null, role: 'anonymous', login: 'jwt_gateway' }]);
  assert.equal((await anonymous`select * from notices`).length, 2);
  assert.equal((await thrown(anonymous`insert into todos (task) values ('x')`)).code, '42501');
  // With a token this role has an identity too, but not the other role's privileges.
  const known = neon(url('anonymous'), { authToken: ALICE_TOKEN });
  assert.deepEqual(await known`select auth.user_id() as id, current_user as role`, [{ id: ALICE_ID, role: 'anonymous' }]);
  assert.deepEqual(await known`select * from todos`, []);
});

test('a user that is not a role of the gateway', async () => {
  for (const user of ['postgres', 'pg_read_all_data', 'jwt_gateway', 'Authenticated', 'authenticated%20', 'none']) {
    for (const options of [{}, { authToken: ALICE_TOKEN }]) {
      const error = await thrown(neon(url(user), options)`select 1`);
      assert.deepEqual([error.name, error.code], ['NeonDbError', '28000'], user);
    }
  }
});

test('another database', async () => {
  const other = url('authenticated').replace(/[^/]+$/, 'postgres');
  const error = await thrown(neon(other, { authToken: ALICE_TOKEN })`select 1`);
  assert.deepEqual([error.name, error.code], ['NeonDbError', '3D000']);
});

// The gateway answers at COMMIT and cleans its connection up after that: another connection may still hold alice's lock.
test('nothing passes to the next request', async () => {
  await alice.transaction((tx) => [
    tx`select set_config('app.note', 'of alice', false)`, tx`create temporary table note (text text)`, tx`prepare note as select 1`,
    tx`select pg_advisory_lock(7)`, tx`set timezone to 'Asia/Tokyo'`,
  ]);
  for (let round = 0; round < 20; round++) {
    const [row] = await bob`select auth.user_id() as id, nullif(current_setting('app.note', true), '') as note, to_regclass('note') as relation,
      (select count(*)::int from pg_prepared_statements) as prepared,
      (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
      current_setting('timezone') = (select reset_val from pg_settings where name = 'TimeZone') as zone`;
    assert.deepEqual({ ...row }, { id: BOB_ID, note: null, relation: null, prepared: 0, locks: 0, zone: true });
  }
  assert.equal((await query(anonymous, 'select auth.user_id() as id'))[0].id, null);
});
