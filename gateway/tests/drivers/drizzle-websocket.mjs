// drizzle-orm/neon-serverless: a pool for each user, whose password is the token, and real transactions.

import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-serverless';
import { Pool, neonConfig, url } from './driver.mjs';
import { todos } from './schema.mjs';

// A rejected token is then an error of pool.connect(). With pipelining it is an error of `begin`, after which Drizzle does not
// release the client. The end of the connection is then an error event without a listener.
neonConfig.pipelineConnect = false;

async function as(token, work) {
  const pool = new Pool({ connectionString: token ? url('authenticated', token) : url('anonymous', '') });
  try {
    return await drizzle(pool).transaction(work);
  } finally {
    await pool.end();
  }
}

const { scenario } = await import(process.env.SCENARIO);
await scenario({
  create: (token, task, userId) => as(token, async (db) => (await db.insert(todos).values({ task, userId }).returning())[0]),
  read: (token) => as(token, (db) => db.select().from(todos).orderBy(todos.id)),
  update: (token, id, task) => as(token, async (db) => (await db.update(todos).set({ task }).where(eq(todos.id, id)).returning()).length),
  remove: (token, id) => as(token, async (db) => (await db.delete(todos).where(eq(todos.id, id)).returning()).length),
  // Drizzle wraps what the driver throws to a query, but not what it throws when it connects.
  rejection: (error) => error.cause ?? error,
});
