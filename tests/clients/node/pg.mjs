// pg (node-postgres), with a pool of one connection that both users share.

import pg from 'pg';
import { scenario } from './scenario.mjs';

const pool = new pg.Pool({ max: 1 });

async function as(token, work) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('set local role authenticated');
    if (token) await client.query('select auth.jwt_session_init($1, true)', [token]);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

const COLUMNS = 'id, user_id as "userId", task';

await scenario({
  create: (token, task, userId) =>
    as(token, async (client) => {
      const insert = userId
        ? [`insert into todos (task, user_id) values ($1, $2) returning ${COLUMNS}`, [task, userId]]
        : [`insert into todos (task) values ($1) returning ${COLUMNS}`, [task]];
      return (await client.query(...insert)).rows[0];
    }),
  read: (token) =>
    as(token, async (client) => (await client.query(`select ${COLUMNS} from todos order by id`)).rows),
  update: (token, id, task) =>
    as(token, async (client) => (await client.query('update todos set task = $2 where id = $1', [id, task])).rowCount),
  remove: (token, id) =>
    as(token, async (client) => (await client.query('delete from todos where id = $1', [id])).rowCount),
  rejection: (error) => error,
});
await pool.end();
