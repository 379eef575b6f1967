// postgres (postgres.js), with one connection that both users share. With POOLED, for a pooler in transaction mode.

import postgres from 'postgres';
import { scenario } from './scenario.mjs';

const connection = postgres({ max: 1, prepare: !process.env.POOLED });

const as = (token, work) =>
  connection.begin(async (sql) => {
    await sql`set local role authenticated`;
    if (token) await sql`select auth.jwt_session_init(${token}, true)`;
    return work(sql);
  });

await scenario({
  create: (token, task, userId) =>
    as(token, async (sql) => {
      const todo = userId ? { task, user_id: userId } : { task };
      const [created] = await sql`insert into todos ${sql(todo)} returning id, user_id as "userId", task`;
      return created;
    }),
  read: (token) => as(token, (sql) => sql`select id, user_id as "userId", task from todos order by id`),
  update: (token, id, task) =>
    as(token, async (sql) => (await sql`update todos set task = ${task} where id = ${id}`).count),
  remove: (token, id) => as(token, async (sql) => (await sql`delete from todos where id = ${id}`).count),
  rejection: (error) => error,
});
await connection.end();
