// drizzle-orm, with one of the schemas beside it, on one of two drivers; both users share one connection.

import { eq, sql } from 'drizzle-orm';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { scenario } from './scenario.mjs';

const [schema, driver] = process.argv.slice(2);
const { todos } = await import(`./drizzle/${schema}.ts`);
const connection = driver === 'pg' ? new pg.Pool({ max: 1 }) : postgres({ max: 1, prepare: !process.env.POOLED });
const db: any = driver === 'pg' ? drizzlePg(connection as pg.Pool) : drizzlePostgres(connection as postgres.Sql);

const as = (token: string | undefined, work: (transaction: any) => Promise<unknown>) =>
  db.transaction(async (transaction: any) => {
    await transaction.execute(sql`set local role authenticated`);
    if (token) await transaction.execute(sql`select auth.jwt_session_init(${token}, true)`);
    return work(transaction);
  });

await scenario({
  create: (token: string, task: string, userId?: string) =>
    as(token, async (db) => (await db.insert(todos).values({ task, userId }).returning())[0]),
  read: (token?: string) => as(token, (db) => db.select().from(todos).orderBy(todos.id)),
  update: (token: string, id: bigint, task: string) =>
    as(token, async (db) => (await db.update(todos).set({ task }).where(eq(todos.id, id)).returning()).length),
  remove: (token: string, id: bigint) =>
    as(token, async (db) => (await db.delete(todos).where(eq(todos.id, id)).returning()).length),
  // Drizzle wraps what the driver throws.
  rejection: (error: any) => error.cause,
});
await connection.end();
