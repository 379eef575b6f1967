// What withToken promises, of each driver and ORM.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import pg from 'pg';
import { DatabaseError, ForbiddenError, TokenError, TransactionError } from 'pg-session-jwt';
import { drivers } from './drivers.mjs';

// ALICE_TOKEN_TO_BIND is bound in statements of the application, which the drivers log. No other token may be logged.
const { ALICE_TOKEN, ALICE_TOKEN_TO_BIND, BOB_TOKEN, ALICE_ID, BOB_ID } = process.env;
const REJECTED = { expired: process.env.EXPIRED_TOKEN, forged: process.env.FORGED_TOKEN, foreign: process.env.FOREIGN_TOKEN, malformed: 'e30.not-a-token' };
const TOKENS = [ALICE_TOKEN, ALICE_TOKEN_TO_BIND, BOB_TOKEN, ...Object.values(REJECTED)];

const WHO = 'select auth.user_id() as user, current_user::text as role, pg_backend_pid() as pid';

const admin = new pg.Client({ user: 'postgres' });
before(() => admin.connect());
after(() => admin.end());

// What is thrown. It is logged as fully as possible, and contains no token.
async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    const text = inspect(error, { depth: Infinity, showHidden: true, getters: true, maxStringLength: Infinity });
    console.error(text);
    for (const token of TOKENS) assert.ok(!text.includes(token) && !String(error?.stack).includes(token), 'a token is in an error');
    return error;
  }
  return assert.fail('nothing was thrown');
}

for (const [name, open] of Object.entries(drivers)) {
  test(name, async (t) => {
    await admin.query('truncate todos');
    const one = await open(1);
    const who = async (token, options) => (await one.withToken(token, (transaction) => one.query(transaction, WHO), options))[0];
    const tasks = (token) => one.withToken(token, one.tasks);

    // The only connection carries nothing of an earlier request.
    async function isClean() {
      const { user, role } = await who(undefined);
      assert.deepEqual([user, role], [null, 'anonymous']);
      assert.deepEqual(await tasks(undefined), []);
      assert.deepEqual(await tasks(BOB_TOKEN), ['feed the cat']);
    }

    await t.test('two users have their own rows', async () => {
      await one.withToken(ALICE_TOKEN, (transaction) => one.insert(transaction, 'water the plants'));
      await one.withToken(BOB_TOKEN, (transaction) => one.insert(transaction, 'feed the cat'));
      assert.deepEqual(await tasks(ALICE_TOKEN), ['water the plants']);
      assert.deepEqual([(await who(ALICE_TOKEN)).user, (await who(ALICE_TOKEN)).role], [ALICE_ID, 'authenticated']);
      await isClean();
    });

    await t.test('round trips', { skip: !one.roundTrips }, async () => {
      for (const token of [ALICE_TOKEN, undefined]) {
        const before = one.roundTrips();
        assert.equal(await one.withToken(token, async () => one.roundTrips() - before), 1);
        assert.equal(one.roundTrips() - before, 2); // COMMIT
      }
    });

    for (const [kind, token] of Object.entries(REJECTED)) {
      await t.test(`${kind} token`, async () => {
        let ran = false;
        const error = await thrown(one.withToken(token, () => (ran = true)));
        assert.ok(error instanceof TokenError, inspect(error));
        assert.deepEqual([error.status, error.code, error.name, ran], [401, '28000', 'TokenError', false]);
        await isClean();
      });
    }

    await t.test('exception of the application', async () => {
      const exception = new RangeError('of the application');
      const error = await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        await one.insert(transaction, 'never');
        throw exception;
      }));
      assert.equal(error, exception);
      await isClean();
      assert.deepEqual(await tasks(ALICE_TOKEN), ['water the plants']);
    });

    await t.test('row of another user', async () => {
      const gift = 'insert into todos (task, user_id) values ($1, $2) returning id';
      const error = await thrown(one.withToken(BOB_TOKEN, (transaction) => one.query(transaction, gift, ['a gift', ALICE_ID])));
      assert.ok(error instanceof ForbiddenError, inspect(error));
      assert.deepEqual([error.status, error.code], [403, '42501']);
      // Knex writes the statement in front.
      assert.match(error.message, /^(insert .* - )?new row violates row-level security policy for table "todos"$/);
      await isClean();
    });

    await t.test('roles', async () => {
      const forbidden = await thrown(who(ALICE_TOKEN, { role: 'postgres' }));
      assert.deepEqual([forbidden.status, forbidden.code], [403, '42501']);
      const unknown = await thrown(who(ALICE_TOKEN, { role: "x', false); select 1 --" }));
      assert.deepEqual([unknown instanceof DatabaseError, unknown.code], [true, '22023']);
      for (const role of ['none', 'None', '', null, 7]) {
        assert.ok((await thrown(who(ALICE_TOKEN, { role }))) instanceof TypeError);
        assert.ok((await thrown(who(undefined, { anonymous: role }))) instanceof TypeError);
      }
      for (const token of [7, {}, [ALICE_TOKEN]]) assert.ok((await thrown(who(token))) instanceof TypeError);
      assert.equal((await thrown(who(''))).status, 401);
      await isClean();
    });

    await t.test('errors that the application catches', async () => {
      const failing = (transaction) => one.query(transaction, 'select 1 / 0 as x').catch(() => {});
      const later = await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        await failing(transaction);
        await one.tasks(transaction);
      }));
      const never = await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        await one.insert(transaction, 'lost');
        await failing(transaction);
      }));
      for (const error of [later, never]) {
        assert.ok(error instanceof TransactionError || inspect(error).includes('division by zero'), inspect(error));
        assert.ok(!inspect(error, { depth: Infinity }).includes('25P02'));
      }
      await isClean();
      assert.deepEqual(await tasks(ALICE_TOKEN), ['water the plants']);
    });

    await t.test('nested calls', async () => {
      const error = await thrown(one.withToken(ALICE_TOKEN, () => tasks(BOB_TOKEN)));
      assert.ok(error instanceof TransactionError, inspect(error));
      await isClean();
    });

    await t.test('use after the end', async () => {
      let kept;
      await one.withToken(ALICE_TOKEN, (transaction) => {
        kept = transaction;
      });
      const rows = await one.withToken(BOB_TOKEN, async (transaction) => {
        await thrown((async () => one.tasks(kept))());
        await thrown((async () => one.query(kept, WHO))());
        return one.tasks(transaction);
      });
      assert.deepEqual(rows, ['feed the cat']);
      await isClean();
    });

    await t.test('statements behind one that fails', async () => {
      await thrown(one.withToken(ALICE_TOKEN, (transaction) =>
        Promise.all([
          one.query(transaction, 'select 1 / 0 as x'),
          ...Array.from({ length: 20 }, (_, number) => one.insert(transaction, `never ${number}`)),
        ])));
      await isClean();
      assert.deepEqual(await tasks(ALICE_TOKEN), ['water the plants']);
    });

    await t.test('signals', async () => {
      const reason = new Error('the visitor left');
      assert.equal(await thrown(one.withToken(ALICE_TOKEN, () => assert.fail(), { signal: AbortSignal.abort(reason) })), reason);
      const controller = new AbortController();
      const error = await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        await one.insert(transaction, 'never');
        const sleeping = one.query(transaction, 'select 1 from pg_sleep(0.2)');
        Promise.resolve(sleeping).catch(() => {});
        controller.abort(reason);
        await sleeping;
        await one.insert(transaction, 'never');
      }, { signal: controller.signal }));
      assert.equal(error, reason);
      await isClean();
      assert.deepEqual(await tasks(ALICE_TOKEN), ['water the plants']);
    });

    await t.test('identity that other code left in the session', async () => {
      const session = await one.withToken(undefined, async (transaction) => {
        await one.query(transaction, 'select 1 as x from auth.jwt_session_init($1)', [ALICE_TOKEN_TO_BIND]);
        return (await one.query(transaction, WHO))[0];
      }, { anonymous: 'authenticated' });
      const { user, pid } = await who(undefined);
      assert.deepEqual([session.user, user, pid], [ALICE_ID, null, session.pid]);
      await isClean();
    });

    await t.test('lost connection', { skip: one.keepsLostConnections }, async () => {
      await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        const [{ pid }] = await one.query(transaction, WHO);
        await admin.query('select pg_terminate_backend($1, 5000)', [pid]);
        await one.tasks(transaction);
      }));
      for (let repeated = 0; repeated < 5; repeated += 1) await isClean();
      // Without a statement that notices it.
      await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        const [{ pid }] = await one.query(transaction, WHO);
        await admin.query('select pg_terminate_backend($1, 5000)', [pid]);
      }));
      for (let repeated = 0; repeated < 5; repeated += 1) await isClean();
    });

    await t.test('end of a request after its connection', { skip: !one.throwsAtLoss }, async () => {
      let resume;
      let terminated;
      const resumed = new Promise((resolve) => (resume = resolve));
      await thrown(one.withToken(ALICE_TOKEN, async (transaction) => {
        const [{ pid }] = await one.query(transaction, WHO);
        terminated = admin.query('select pg_terminate_backend($1, 5000)', [pid]);
        await terminated;
        await resumed;
      }));
      await one.withToken(undefined, async (transaction) => {
        await one.query(transaction, WHO);
        await terminated;
        resume();
        for (let repeated = 0; repeated < 5; repeated += 1) {
          const [{ role }] = await one.query(transaction, WHO);
          assert.equal(role, 'anonymous');
        }
      });
    });

    await t.test('tokens in what the application throws', async () => {
      const exception = Object.assign(new RangeError(`bad ${ALICE_TOKEN}`, { cause: { headers: new Map([['authorization', ALICE_TOKEN]]) } }), { request: { token: ALICE_TOKEN }, kept: 7 });
      const error = await thrown(one.withToken(ALICE_TOKEN, () => Promise.reject(exception)));
      assert.deepEqual([error instanceof RangeError, error.message, error.kept, exception.request.token], [true, 'bad ***', 7, ALICE_TOKEN]);
      await thrown(one.withToken(ALICE_TOKEN_TO_BIND, (transaction) => one.query(transaction, 'select $1::int as x', [ALICE_TOKEN_TO_BIND])));
      await thrown(one.withToken(ALICE_TOKEN, () => Promise.reject(ALICE_TOKEN)));
      await isClean();
    });
    await one.close();

    await t.test('1,000 requests on two connections', async () => {
      await admin.query('truncate todos');
      const two = await open(2);
      const users = [[ALICE_TOKEN, ALICE_ID], [BOB_TOKEN, BOB_ID], [undefined, null], [REJECTED.forged, null]];
      const committed = { [ALICE_ID]: 0, [BOB_ID]: 0 };
      let next = 0;
      let foreign = 0;
      const counts = { committed: 0, thrown: 0, aborted: 0, rejected: 0, visitors: 0 };
      async function request(number) {
        const [token, id] = users[Math.floor(random() * users.length)];
        const fate = random();
        const controller = new AbortController();
        try {
          await two.withToken(token, async (transaction) => {
            if (fate < 0.2) controller.abort();
            const [{ user }] = await two.query(transaction, WHO);
            if (id) await two.insert(transaction, `${id} ${number}`);
            const rows = await two.tasks(transaction);
            foreign += user !== id || rows.some((task) => !task.startsWith(id));
            if (fate > 0.8) throw new RangeError('of the application');
          }, { signal: controller.signal });
          if (id) committed[id] += 1;
          counts[id ? 'committed' : 'visitors'] += 1;
        } catch (error) {
          counts[error instanceof TokenError ? 'rejected' : error instanceof RangeError ? 'thrown' : 'aborted'] += 1;
          if (!(error instanceof TokenError || error instanceof RangeError || error.name === 'AbortError')) throw error;
        }
      }
      await Promise.all(Array.from({ length: 8 }, async () => {
        while (next < 1000) await request((next += 1));
      }));
      await two.close();
      assert.equal(foreign, 0);
      assert.equal(Object.values(counts).reduce((sum, count) => sum + count), 1000);
      assert.ok(Object.values(counts).every((count) => count > 0), inspect(counts));
      const { rows } = await admin.query('select user_id, count(*)::int, bool_and(starts_with(task, user_id)) as own from todos group by 1 order by 1');
      assert.deepEqual(rows, [[ALICE_ID], [BOB_ID]].map(([id]) => ({ user_id: id, count: committed[id], own: true })));
    });
  });
}

// The same order of fates in each run (mulberry32).
let state = 20260203;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
