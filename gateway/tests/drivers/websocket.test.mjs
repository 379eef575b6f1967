// Client and Pool over WebSocket. The password is the token.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  ALICE_ID, ALICE_TOKEN, BOB_ID, BOB_TOKEN, Client, EXPIRED_TOKEN, FORGED_TOKEN, Pool, VERSION, administrator, neonConfig, thrown, url,
} from './driver.mjs';

const admin = await administrator();
after(() => admin.end());

// Runs `work` with the client of this token's user, or of a visitor without a token.
async function connected(token, work) {
  const client = new Client(token ? url('authenticated', token) : url('anonymous', ''));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const WHO = 'select auth.user_id() as id, current_user as role';

for (const pipelineConnect of ['password', false]) {
  test(`connects, pipelineConnect: ${pipelineConnect}`, async (t) => {
    neonConfig.pipelineConnect = pipelineConnect;
    t.after(() => { neonConfig.pipelineConnect = 'password'; });
    await connected(ALICE_TOKEN, async (client) => {
      assert.deepEqual((await client.query(WHO)).rows, [{ id: ALICE_ID, role: 'authenticated' }]);
      // The prepared statement outlives its query: the connection belongs to this client.
      for (const number of [1, 2]) {
        const { rows } = await client.query({ name: 'twice', text: 'select $1::int * 2 as twice', values: [number] });
        assert.deepEqual(rows, [{ twice: 2 * number }]);
      }
      const several = await client.query('select 1 as a; select 2 as b');
      assert.deepEqual(several.map(({ rows }) => rows), [[{ a: 1 }], [{ b: 2 }]]);
    });
    await connected(undefined, async (client) => {
      assert.deepEqual((await client.query(WHO)).rows, [{ id: null, role: 'anonymous' }]);
      assert.equal((await client.query('select * from notices')).rowCount, 2);
    });
    const rejected = [
      [url('authenticated', EXPIRED_TOKEN), '28000', 'Token used after it has expired'],
      [url('authenticated', FORGED_TOKEN), '28000', 'invalid JWT signature'],
      [url('postgres', ALICE_TOKEN), '28000'],
      [url('jwt_gateway', ALICE_TOKEN), '28000'],
      [url('authenticated', ALICE_TOKEN).replace(/[^/]+$/, 'postgres'), '3D000'],
    ];
    for (const [address, code, message] of rejected) {
      const client = new Client(address);
      client.on('error', () => {}); // the end of the connection, after the error that is its reason
      const error = await thrown(client.connect().then(() => client.query('select 1')));
      assert.equal(error.code, code, error.message);
      if (message) assert.equal(error.message, message);
    }
  });
}

test('a transaction step by step, with an identity', async () => {
  await connected(ALICE_TOKEN, async (client) => {
    await client.query('begin');
    const { rows: [{ id }] } = await client.query("insert into todos (task) values ('water the plants') returning id");
    await connected(BOB_TOKEN, async (bob) => {
      assert.equal((await bob.query('select * from todos where id = $1', [id])).rowCount, 0);
    });
    await client.query('savepoint a');
    assert.equal((await thrown(client.query('select 1 / 0'))).code, '22012');
    await client.query('rollback to a');
    await client.query('commit');
    assert.deepEqual((await admin.query('select user_id from todos where id = $1', [id])).rows, [{ user_id: ALICE_ID }]);
    // Committed, so that even an owner of the row has to ask again; the identity is still the same.
    assert.deepEqual((await client.query(WHO)).rows, [{ id: ALICE_ID, role: 'authenticated' }]);
    await client.query('begin');
    await client.query('delete from todos where id = $1', [id]);
    await client.query('rollback');
    await connected(BOB_TOKEN, async (bob) => {
      assert.equal((await bob.query('delete from todos where id = $1', [id])).rowCount, 0);
      assert.deepEqual((await bob.query(WHO)).rows, [{ id: BOB_ID, role: 'authenticated' }]);
    });
    assert.equal((await client.query('delete from todos where id = $1', [id])).rowCount, 1);
  });
});

test('a pool', async () => {
  const pool = new Pool({ connectionString: url('authenticated', ALICE_TOKEN), max: 3 });
  const results = await Promise.all(Array.from({ length: 30 }, (_, number) => pool.query('select $1::int as number, auth.user_id() as id', [number])));
  assert.deepEqual(results.map(({ rows: [row] }) => ({ ...row })), results.map((_, number) => ({ number, id: ALICE_ID })));
  const client = await pool.connect();
  assert.deepEqual((await client.query(WHO)).rows[0].id, ALICE_ID);
  client.release();
  await pool.end();
});

test('a password that is a function', { skip: VERSION < '1.2' && 'since 1.2' }, async () => {
  const pool = new Pool({
    host: 'db.example.com', database: process.env.PGDATABASE, user: 'authenticated', password: async () => BOB_TOKEN,
  });
  assert.equal((await pool.query(WHO)).rows[0].id, BOB_ID);
  await pool.end();
});

test('each client has a separate connection, which ends with it', async () => {
  const pid = (client) => client.query('select pg_backend_pid() as pid').then(({ rows }) => rows[0].pid);
  const pids = await connected(ALICE_TOKEN, (alice) => connected(BOB_TOKEN, (bob) => Promise.all([alice, bob].map(pid))));
  pids.push(await connected(ALICE_TOKEN, pid));
  assert.equal(new Set(pids).size, 3);
  const limit = Date.now() + 20_000;
  while ((await admin.query('select 1 from pg_stat_activity where pid = any($1)', [pids])).rowCount > 0) assert.ok(Date.now() < limit);
});

test('large messages', async () => {
  await connected(ALICE_TOKEN, async (client) => {
    const text = 'é"\\\n'.repeat(500_000);
    const { rows: [row] } = await client.query('select $1::text as text', [text]);
    assert.equal(row.text, text);
    const { rows } = await client.query("select n, repeat('x', 100) as filler from generate_series(1, 50000) n");
    assert.equal(rows.length, 50_000);
  });
});
