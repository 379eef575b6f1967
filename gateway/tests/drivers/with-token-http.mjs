// Drizzle over HTTP by withToken of clients/typescript, which makes it for the role and the token of each request.

import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { neon, url } from './driver.mjs';
import { todos } from './schema.mjs';

const { withToken } = (await import(process.env.WITH_TOKEN)).default;
const { scenario } = await import(process.env.SCENARIO);

const connect = (role, authToken) => drizzle(neon(url(role), { authToken }));
const as = (token, work) => withToken(connect, token, work);

await scenario({
  create: (token, task, userId) => as(token, async (db) => (await db.insert(todos).values({ task, userId }).returning())[0]),
  read: (token) => as(token, (db) => db.select().from(todos).orderBy(todos.id)),
  update: (token, id, task) => as(token, async (db) => (await db.update(todos).set({ task }).where(eq(todos.id, id)).returning()).length),
  remove: (token, id) => as(token, async (db) => (await db.delete(todos).where(eq(todos.id, id)).returning()).length),
  // TokenError and ForbiddenError, with PostgreSQL's code and message.
  rejection: ({ code, message, status }) => {
    if (status !== (code === '42501' ? 403 : 401)) throw new Error(`the status is ${status}`);
    return { code, message };
  },
});
