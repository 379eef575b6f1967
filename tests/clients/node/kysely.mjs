// kysely, on a pool of one connection that both users share.

import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { scenario } from './scenario.mjs';

const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ max: 1 }) }) });

const as = (token, work) =>
  db.transaction().execute(async (transaction) => {
    await sql`set local role authenticated`.execute(transaction);
    if (token) await sql`select auth.jwt_session_init(${token}, true)`.execute(transaction);
    return work(transaction);
  });

const COLUMNS = ['id', 'user_id as userId', 'task'];

await scenario({
  create: (token, task, userId) =>
    as(token, (db) => {
      const todo = userId ? { task, user_id: userId } : { task };
      return db.insertInto('todos').values(todo).returning(COLUMNS).executeTakeFirstOrThrow();
    }),
  read: (token) => as(token, (db) => db.selectFrom('todos').select(COLUMNS).orderBy('id').execute()),
  update: (token, id, task) =>
    as(token, async (db) => {
      const result = await db.updateTable('todos').set({ task }).where('id', '=', id).executeTakeFirst();
      return result.numUpdatedRows;
    }),
  remove: (token, id) =>
    as(token, async (db) => {
      const result = await db.deleteFrom('todos').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows;
    }),
  rejection: (error) => error,
});
await db.destroy();
