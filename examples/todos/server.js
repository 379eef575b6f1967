// The web application: a few pages and forms. No query filters by user; see database.js.

import { readFile } from 'node:fs/promises';
import { serve } from '@hono/node-server';
import { eq, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { asUser, causeOf } from './database.js';
import * as pages from './pages.js';
import { todos } from './schema.js';
import { sessions } from './sessions.js';
import * as signIn from './sign-in.js';

const { ORIGIN, PORT } = process.env;
const style = await readFile(new URL('style.css', import.meta.url), 'utf8');
const signingIn = sessions('sign-in');
const signedIn = sessions('session'); // { token, name }: the token never leaves the server

const app = new Hono();
app.use(secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], styleSrc: ["'self'"], formAction: ["'self'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
  referrerPolicy: 'same-origin', // with no-referrer, browsers send no Origin with a form
}));
app.use(csrf({ origin: ORIGIN })); // rejects forms of other sites, even with cookies
app.use(bodyLimit({ maxSize: 16 * 1024 }));
app.use(async (c, next) => {
  c.header('Cache-Control', 'no-store'); // each page belongs to one person
  await next();
});

// ---- signing in and out ---------------------------------------------------------------------------------------------

app.get('/sign-in', async (c) => {
  const { url, checks } = await signIn.begin();
  signingIn.open(c, checks, 600);
  return c.redirect(url.href);
});

app.get('/callback', async (c) => {
  const checks = signingIn.take(c);
  if (!checks) return c.html(pages.welcome('Please sign in again.'), 400);
  let person;
  try {
    person = await signIn.finish(new URL(c.req.url).search.slice(1), checks);
  } catch (error) {
    console.error(`sign-in failed: ${error.code ?? error.name}: ${error.message}`);
    return c.html(pages.welcome('That did not work. Please sign in again.'), 400);
  }
  signedIn.open(c, person, person.seconds);
  return c.redirect('/');
});

app.post('/sign-out', (c) => {
  signedIn.close(c);
  return c.redirect('/', 303);
});

// ---- todos ----------------------------------------------------------------------------------------------------------

app.get('/', async (c) => {
  const person = signedIn.get(c);
  if (!person) return c.html(pages.welcome());
  return asUser(person.token, async (tx) => {
    const mine = await tx.select().from(todos).orderBy(todos.id);
    const { rows: [{ user_id }] } = await tx.execute(sql`select auth.user_id()`);
    return c.html(pages.list(person.name, user_id, mine));
  });
});

// Handles a change by the signed-in person. `work` returns the changed rows: none, if they belong to another person.
const change = (work) => async (c) => {
  const person = signedIn.get(c);
  if (!person) return c.redirect('/', 303);
  const form = await c.req.parseBody();
  const rows = await asUser(person.token, (tx) => work(tx, form, Number(c.req.param('id'))));
  return rows.length ? c.redirect('/', 303) : c.html(pages.message('There is no such todo.'), 404);
};

app.post('/todos', change((tx, { task }) =>
  tx.insert(todos).values({ task }).returning({ id: todos.id })));

app.post('/todos/:id{[0-9]{1,15}}/done', change((tx, { done }, id) =>
  tx.update(todos).set({ done: done === 'true' }).where(eq(todos.id, id)).returning({ id: todos.id })));

app.post('/todos/:id{[0-9]{1,15}}/delete', change((tx, form, id) =>
  tx.delete(todos).where(eq(todos.id, id)).returning({ id: todos.id })));

// ---- the rest -------------------------------------------------------------------------------------------------------

app.get('/style.css', (c) => c.body(style, 200, { 'Content-Type': 'text/css' }));
app.notFound((c) => c.html(pages.message('There is no such page.'), 404));
app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse(); // from csrf and bodyLimit
  const { code, message } = causeOf(error);
  console.error(`${c.req.method} ${c.req.path}: ${code}: ${message}`);
  if (code.startsWith('28')) { // the token is not valid, or not any more
    signedIn.close(c);
    return c.html(pages.welcome('You have been signed out. Please sign in again.'), 401);
  }
  // Classes 22 and 23: the input is not a valid todo, for example because it is empty.
  if (/^2[23]/.test(code)) return c.html(pages.message('That cannot be a todo.'), 400);
  return c.html(pages.message('Something went wrong.'), 500);
});

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) }, () => console.log(`ready: ${ORIGIN}`));
