// drizzle-orm/neon-http: $withAuth gives each query its token.

import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { neon, url } from './driver.mjs';
import { todos } from './schema.mjs';

const users = drizzle(neon(url('authenticated')));
const anonymous = drizzle(neon(url('anonymous')));
const as = (token) => (token ? users.$withAuth(token) : anonymous);

const { scenario } = await import(process.env.SCENARIO);
await scenario({
  create: async (token, task, userId) => (await as(token).insert(todos).values({ task, userId }).returning())[0],
  read: (token) => as(token).select().from(todos).orderBy(todos.id),
  update: async (token, id, task) => (await as(token).update(todos).set({ task }).where(eq(todos.id, id)).returning()).length,
  remove: async (token, id) => (await as(token).delete(todos).where(eq(todos.id, id)).returning()).length,
  // Drizzle wraps what the driver throws.
  rejection: (error) => error.cause,
});
