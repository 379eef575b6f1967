// Two people use the example, each with a separate browser. scripts/test-example.sh starts everything and runs this.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import pg from 'pg';
import { chromium } from 'playwright-core';

const { CHROMIUM, HOME, ISSUER, LOGS, ORIGIN } = process.env;
const LIMIT = 60_000; // milliseconds, enough on a busy machine

// The administrator, who sees every row. PGHOST and PGUSER belong to the superuser.
const database = new pg.Client({ database: 'todos' });
await database.connect();
const rows = async () => (await database.query({ text: 'select user_id, task, done from todos order by id', rowMode: 'array' })).rows;

// Without the sandbox, which containers seldom permit. The browser opens only the pages of this example.
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: LIMIT });
after(async () => {
  await browser.close();
  await database.end();
});

// Opens a separate browser, which shares no cookies.
async function newPage() {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  context.setDefaultTimeout(LIMIT);
  return context.newPage();
}
const picture = (page, name) => page.screenshot({ path: `${HOME}/${name}.png` });
const tasks = (page) => page.locator('li span').allTextContents();
const sessionCookie = async (page) => (await page.context().cookies(ORIGIN)).find(({ name }) => name === 'session');

async function signIn(page, name) {
  await page.goto(ORIGIN);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByRole('button', { name }).click();
  await page.getByRole('heading', { name: `Todos of ${name}` }).waitFor();
}

async function add(page, task) {
  await page.getByLabel('Task').fill(task);
  await page.getByRole('button', { name: 'Add' }).click();
  await page.locator('li', { hasText: task }).waitFor();
}

const alice = await newPage();
const bob = await newPage();

test('a stranger sees no todos and cannot add one', async () => {
  const stranger = await newPage();
  await stranger.goto(ORIGIN);
  await picture(stranger, '1-welcome');
  assert.equal(await stranger.locator('form').count(), 0);
  const answer = await stranger.request.post(`${ORIGIN}/todos`, { form: { task: 'x' }, headers: { Origin: ORIGIN }, maxRedirects: 0 });
  assert.equal(answer.status(), 303);
  assert.deepEqual(await rows(), []);
  await stranger.getByRole('link', { name: 'Sign in' }).click();
  await stranger.getByRole('heading', { name: 'Who are you?' }).waitFor();
  await picture(stranger, '2-provider');
});

test('alice adds todos and marks one done', async () => {
  await signIn(alice, 'Alice');
  await add(alice, 'water the plants');
  await add(alice, 'call <b>bob</b> & "eve"');
  await alice.getByRole('button', { name: 'Done: water the plants' }).click();
  await alice.locator('li.done').waitFor();
  assert.deepEqual(await tasks(alice), ['water the plants', 'call <b>bob</b> & "eve"']);
  assert.equal(await alice.locator('footer code').textContent(), 'user_alice');
  await picture(alice, '3-alice');
  assert.deepEqual(await rows(), [['user_alice', 'water the plants', true], ['user_alice', 'call <b>bob</b> & "eve"', false]]);
});

test('bob sees only his own', async () => {
  await signIn(bob, 'Bob');
  assert.deepEqual(await tasks(bob), []);
  await add(bob, 'buy milk');
  assert.deepEqual(await tasks(bob), ['buy milk']);
  assert.equal(await bob.locator('footer code').textContent(), 'user_bob');
  await picture(bob, '4-bob');
  await alice.reload();
  assert.deepEqual(await tasks(alice), ['water the plants', 'call <b>bob</b> & "eve"']);
});

test('bob\'s requests for alice\'s todo change nothing', async () => {
  const before = await rows();
  const { rows: [{ id }] } = await database.query("select id from todos where task = 'water the plants'");
  for (const [change, button] of [['done', 'Done: buy milk'], ['delete', 'Delete: buy milk']]) {
    await bob.goto(ORIGIN);
    await bob.locator(`form[action$="/${change}"]`).evaluate((form, action) => { form.action = action; }, `/todos/${id}/${change}`);
    await bob.getByRole('button', { name: button }).click();
    await bob.getByText('There is no such todo.').waitFor();
    assert.deepEqual(await rows(), before);
  }
  await picture(bob, '5-no-such-todo');
  // The same form with the id of bob's todo works.
  await bob.goto(ORIGIN);
  await bob.getByRole('button', { name: 'Delete: buy milk' }).click();
  await bob.getByText('Nothing to do.').waitFor();
  assert.deepEqual(await rows(), before.filter(([user]) => user === 'user_alice'));
});

test('a form of another site is rejected', async () => {
  const before = await rows();
  // With the cookie but from another site: the Origin is rejected.
  const post = (headers) => bob.request.post(`${ORIGIN}/todos`, { form: { task: 'forged' }, headers });
  assert.equal((await post({ Origin: ISSUER })).status(), 403);
  assert.equal((await post({})).status(), 403);
  // From a page of another site the browser does not send the cookie.
  await bob.route(`${ISSUER}/trap`, (route) => route.fulfill({
    contentType: 'text/html',
    body: `<form method="post" action="${ORIGIN}/todos"><input name="task" value="forged"><button>Win</button></form>`,
  }));
  await bob.goto(`${ISSUER}/trap`);
  const sent = bob.waitForRequest(`${ORIGIN}/todos`);
  await bob.getByRole('button', { name: 'Win' }).click();
  assert.equal((await (await sent).allHeaders()).cookie, undefined);
  assert.equal((await (await sent).response()).status(), 403);
  assert.deepEqual(await rows(), before);
});

test('an invalid todo is rejected', async () => {
  const before = await rows();
  for (const form of [{ task: '' }, { task: 'x'.repeat(201) }, { task: 'nul\0' }, {}]) {
    const answer = await alice.request.post(`${ORIGIN}/todos`, { form, headers: { Origin: ORIGIN } });
    assert.equal(answer.status(), 400, JSON.stringify(form));
  }
  const long = await alice.request.post(`${ORIGIN}/todos`, { form: { task: 'x'.repeat(20_000) }, headers: { Origin: ORIGIN } });
  assert.equal(long.status(), 413);
  assert.deepEqual(await rows(), before);
});

test('the browser has a cookie that scripts cannot read, and no token', async () => {
  await alice.goto(ORIGIN);
  const { httpOnly, sameSite, value } = await sessionCookie(alice);
  assert.deepEqual([httpOnly, sameSite, value.length], [true, 'Lax', 43]);
  assert.equal(await alice.evaluate(() => document.cookie), '');
  assert.ok(!(await alice.content()).includes('eyJ'));
});

test('an answer of the provider is valid once, in the browser that requested it', async () => {
  const begin = async (page) => {
    await page.goto(ORIGIN);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
  };
  const statusOf = async (page, url) => (await page.goto(url)).status();

  // Alice's answer arrives in a browser without the request: her own, after it lost the cookie.
  const hers = await newPage();
  await begin(hers);
  const cookies = await hers.context().cookies(ORIGIN);
  await hers.context().clearCookies({ name: 'sign-in' });
  await hers.getByRole('button', { name: 'Alice' }).click();
  await hers.getByText('Please sign in again.').waitFor();
  const answer = hers.url();

  // It is invalid too in the browser of a stranger with another request.
  const stranger = await newPage();
  await begin(stranger);
  assert.equal(await statusOf(stranger, answer), 400);
  assert.equal(await sessionCookie(stranger), undefined);

  await hers.context().addCookies(cookies);
  assert.equal(await statusOf(hers, answer), 200);
  await hers.getByRole('heading', { name: 'Todos of Alice' }).waitFor();
  assert.equal(await statusOf(hers, answer), 400);
});

test('signing out ends the session on the server', async () => {
  await bob.goto(ORIGIN);
  const cookie = await sessionCookie(bob);
  await bob.getByRole('button', { name: 'Sign out' }).click();
  await bob.getByRole('link', { name: 'Sign in' }).waitFor();
  assert.equal(await sessionCookie(bob), undefined);
  await bob.context().addCookies([cookie]);
  await bob.goto(ORIGIN);
  assert.equal(await bob.getByRole('link', { name: 'Sign in' }).count(), 1);
});

test('a token that the database rejects ends the session', async () => {
  // The database now expects another audience. The setting applies to new connections, so the old ones are closed.
  await database.query(`do $$ begin execute format('alter database todos set pg_session_jwt.providers = %L',
    replace(current_setting('pg_session_jwt.providers'), 'urn:example:todos', 'urn:example:photos')); end $$`);
  await database.query("select pg_terminate_backend(pid, 60000) from pg_stat_activity where usename = 'web'");
  assert.equal((await alice.goto(ORIGIN)).status(), 401);
  await alice.getByText('You have been signed out.').waitFor();
  await picture(alice, '6-signed-out');
  assert.equal((await alice.goto(ORIGIN)).status(), 200);
  assert.equal(await alice.getByRole('link', { name: 'Sign in' }).count(), 1);
});

test('no log has a token', async () => {
  for (const log of ['log/server', 'log/provider', 'server/log']) {
    const text = await readFile(`${LOGS}/${log}`, 'utf8');
    assert.ok(text.length > 0 && !text.includes('eyJ'), log);
  }
  assert.match(await readFile(`${LOGS}/log/server`, 'utf8'), /28000: JWT is intended for another audience/);
});
