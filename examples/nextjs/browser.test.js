// Two people use the example, each with a separate browser. scripts/test-example.sh starts everything and runs this.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import pg from 'pg';
import { chromium } from 'playwright-core';

const { CHROMIUM, CLIENT_SECRET, HOME, LOGS, NEXT_PUBLIC_FETCH_ENDPOINT, ORIGIN, PAGE, TOKEN_SECONDS } = process.env;
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

// Opens a separate browser, which shares no cookies. `sent` are its requests to the gateway.
async function newPage(options) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  page.sent = [];
  page.on('request', (request) => { if (request.url() === NEXT_PUBLIC_FETCH_ENDPOINT) page.sent.push(request); });
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  return page;
}
const picture = (page, name) => page.screenshot({ path: `${HOME}/nextjs-${name}.png`, fullPage: true });
const listOf = (page, where) => page.getByRole('list', { name: `Todos from the ${where}` });
const tasks = (page, where) => listOf(page, where).locator('li span').allTextContents();

async function signIn(page, name, link = 'Sign in') {
  await page.getByRole('link', { name: link }).click();
  await page.getByRole('button', { name, exact: true }).click();
  await page.waitForURL(`${ORIGIN}/`);
}

async function add(page, where, task) {
  await page.getByLabel(`Task, added by the ${where}`).fill(task);
  await page.keyboard.press('Enter');
  for (const list of ['server', 'browser']) await listOf(page, list).locator('li', { hasText: task }).waitFor();
}

// Clicks a button of the panel, and returns the SQL and what the panel shows of PostgreSQL's answer.
async function attack(page, label) {
  await page.getByRole('button', { name: label, exact: true }).click();
  const answer = page.getByRole('status', { name: 'Answer of PostgreSQL' });
  await answer.getByRole('heading', { name: label, exact: true }).waitFor();
  return {
    sql: await answer.locator('pre').textContent(),
    cells: await answer.locator('td').allTextContents(),
    end: await answer.locator('.count, .failure').textContent(),
  };
}

const alice = await newPage();
const bob = await newPage();
const ALL = 'SELECT id, user_id, task FROM todos ORDER BY id';
let first; // the id of alice's first todo

test('a stranger sees no todos and gets no token', async () => {
  const stranger = await newPage();
  await stranger.goto(ORIGIN);
  await picture(stranger, '1-welcome');
  assert.equal(await stranger.locator('form').count(), 0);
  assert.equal(await stranger.evaluate(async () => (await fetch('/api/token')).status), 401);
  assert.equal((await stranger.goto(`${ORIGIN}/auth/callback?code=x&state=y`)).status(), 200);
  await stranger.getByText('Please sign in again.').waitFor();
});

test('alice writes from the server and from the browser', async () => {
  await alice.goto(ORIGIN);
  await signIn(alice, 'Alice');
  await alice.getByRole('heading', { name: 'Todos of Alice' }).waitFor();
  await add(alice, 'server', 'water the plants');
  await add(alice, 'browser', 'call <b>bob</b> & "eve"');
  await add(alice, 'browser', 'a mistake');
  await listOf(alice, 'browser').getByRole('button', { name: 'Done: water the plants' }).click();
  await listOf(alice, 'server').locator('li.done', { hasText: 'water the plants' }).waitFor();
  await listOf(alice, 'server').getByRole('button', { name: 'Done: a mistake' }).click();
  await listOf(alice, 'browser').locator('li.done', { hasText: 'a mistake' }).waitFor();
  await listOf(alice, 'server').getByRole('button', { name: 'Delete: a mistake' }).click();
  await listOf(alice, 'browser').locator('li', { hasText: 'a mistake' }).waitFor({ state: 'detached' });
  const expected = ['water the plants', 'call <b>bob</b> & "eve"'];
  assert.deepEqual([await tasks(alice, 'server'), await tasks(alice, 'browser')], [expected, expected]);
  assert.deepEqual(await rows(), [['user_alice', expected[0], true], ['user_alice', expected[1], false]]);
  first = (await database.query('select min(id) as id from todos')).rows[0].id;
});

test('bob sees only his own', async () => {
  await bob.goto(ORIGIN);
  await signIn(bob, 'Bob');
  await bob.getByRole('heading', { name: 'Todos of Bob' }).waitFor();
  assert.deepEqual([await tasks(bob, 'server'), await tasks(bob, 'browser')], [[], []]);
  await add(bob, 'browser', 'buy milk');
  await add(bob, 'server', 'feed the cat');
  await listOf(bob, 'browser').getByRole('button', { name: 'Delete: feed the cat' }).click();
  await listOf(bob, 'server').locator('li', { hasText: 'feed the cat' }).waitFor({ state: 'detached' });
  assert.deepEqual((await rows()).filter(([user]) => user === 'user_bob'), [['user_bob', 'buy milk', false]]);
  await alice.reload();
  assert.equal((await tasks(alice, 'server')).length, 2);
});

test('a todo that PostgreSQL rejects', async () => {
  const before = await rows();
  for (const where of ['server', 'browser']) {
    const input = bob.getByLabel(`Task, added by the ${where}`);
    await input.evaluate((element) => element.removeAttribute('maxlength'));
    await input.fill('x'.repeat(201));
    await input.press('Enter');
    await bob.getByRole('alert').filter({ hasText: 'A todo has 1 to 200 characters.' }).nth(where === 'server' ? 0 : 1).waitFor();
  }
  assert.deepEqual(await rows(), before);
});

test('the panel shows what PostgreSQL knows', async () => {
  const claims = JSON.parse((await alice.getByLabel('Claims of the token').textContent()).replace(/^.*\n/, ''));
  assert.deepEqual([claims.sub, claims.aud, claims.exp - claims.iat], ['user_alice', 'urn:example:todos', Number(TOKEN_SECONDS)]);
  const status = await alice.locator('.status tr').evaluateAll((lines) => lines.map((line) => [...line.cells].map((cell) => cell.textContent)));
  const { mode, identity, user_id: user, issuer, reason } = Object.fromEntries(status);
  assert.deepEqual([mode, identity, user, issuer, reason], ['provider', 'true', 'user_alice', claims.iss, 'NULL']);
});

test('an attacker gets nothing', async () => {
  const before = await rows();
  await signIn(alice, 'Bob', 'Sign in a second person');
  await alice.getByRole('heading', { name: 'Todos of Alice' }).waitFor();

  const his = (await database.query("select id from todos where user_id = 'user_bob'")).rows[0].id;
  assert.deepEqual(await attack(alice, 'As Bob'), { sql: ALL, cells: [his, 'user_bob', 'buy milk'], end: '1 row' });
  await picture(alice, '2-as-bob');
  assert.deepEqual(await attack(alice, 'Without a token'),
    { sql: ALL, cells: [], end: 'SQLSTATE 42501: permission denied for table todos' });
  assert.deepEqual(await attack(alice, `As Bob: read Alice’s row ${first}`),
    { sql: `SELECT user_id, task FROM todos WHERE id = $1\n-- $1 = ${first}`, cells: [], end: '0 rows' });
  assert.deepEqual(await attack(alice, `As Bob: change Alice’s row ${first}`),
    { sql: `UPDATE todos SET task = $2 WHERE id = $1 RETURNING id, task\n-- $1 = ${first}, $2 = "mine now"`, cells: [], end: '0 rows' });
  assert.deepEqual(await attack(alice, 'As Bob: write a row for Alice'), {
    sql: 'INSERT INTO todos (user_id, task) VALUES ($1, $2)\n-- $1 = "user_alice", $2 = "a gift"',
    cells: [],
    end: 'SQLSTATE 42501: new row violates row-level security policy for table "todos"',
  });
  await picture(alice, '3-rejected');
  assert.deepEqual(await rows(), before);
});

test('a token expires, and the page gets another one', async () => {
  const expired = alice.getByRole('button', { name: 'With an expired token' });
  assert.equal(await expired.isDisabled(), true);
  await alice.getByText(/^Token [2-9] of this page/).waitFor();
  await alice.locator('button:enabled', { hasText: 'With an expired token' }).waitFor();
  assert.deepEqual(await attack(alice, 'With an expired token'), { sql: ALL, cells: [], end: 'SQLSTATE 28000: Token used after it has expired' });
  await picture(alice, '4-expired');
  await add(alice, 'server', 'after the first token');
  await add(alice, 'browser', 'and again');
  // The token of the second person has expired too, and was renewed.
  assert.equal((await attack(alice, 'As Bob')).end, '1 row');
  const tokens = new Set(await Promise.all(alice.sent.map((request) => request.headerValue('authorization'))));
  assert.ok(tokens.size >= 4, `${tokens.size} tokens`);
});

test('another site gets no token', async () => {
  const trap = NEXT_PUBLIC_FETCH_ENDPOINT.replace('/sql', '/trap');
  await bob.route(trap, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Trap</title>' }));
  const page = bob.url();
  await bob.goto(trap);
  const answer = await bob.evaluate((url) => fetch(url, { credentials: 'include' }).then(({ status }) => status, ({ name }) => name), `${ORIGIN}/api/token`);
  assert.equal(answer, 'TypeError'); // the browser does not show the page the response
  await bob.goto(page);
  const cookies = (await bob.context().cookies(ORIGIN)).map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]);
  assert.deepEqual(cookies.sort(), [['session', true, 'Lax'], ['signing-in', true, 'Lax']]);
});

test('a phone, and a dark one', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const phone = await newPage({ viewport: { width: 360, height: 740 }, colorScheme });
    await phone.goto(ORIGIN);
    await signIn(phone, 'Alice');
    await phone.getByRole('heading', { name: 'What an attacker gets' }).waitFor();
    await attack(phone, 'Without a token');
    await picture(phone, `5-phone-${colorScheme}`);
    const { clientWidth, scrollWidth } = await phone.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      return { clientWidth, scrollWidth };
    });
    assert.equal(scrollWidth, clientWidth);
    const unnamed = await phone.locator('button, input, a').evaluateAll((elements) =>
      elements.filter((element) => !(element.ariaLabel || element.textContent).trim()).length);
    assert.equal(unnamed, 0);
    const background = await phone.evaluate(() => getComputedStyle(document.querySelector('main')).backgroundColor);
    assert.equal(background, colorScheme === 'dark' ? 'rgb(27, 32, 39)' : 'rgb(255, 255, 255)');
    await phone.context().close();
  }
  const wide = await newPage({ colorScheme: 'dark' });
  await wide.goto(ORIGIN);
  await signIn(wide, 'Alice');
  await wide.getByRole('heading', { name: 'What an attacker gets' }).waitFor();
  await picture(wide, '6-dark');
});

test('the keyboard reaches every control', async () => {
  await alice.goto(ORIGIN);
  await alice.getByRole('heading', { name: 'What an attacker gets' }).waitFor();
  const controls = await alice.locator('a:visible, input:visible, button:visible:enabled').count();
  const reached = new Set();
  for (let presses = 0; presses < controls + 5; presses += 1) {
    await alice.keyboard.press('Tab');
    reached.add(await alice.evaluate(() => {
      const element = document.activeElement;
      return element.matches('a, input, button') && [...document.querySelectorAll('*')].indexOf(element);
    }));
  }
  reached.delete(false);
  assert.equal(reached.size, controls);
});

test('signing out ends the session on the server', async () => {
  const cookies = await bob.context().cookies(ORIGIN);
  assert.equal((await bob.request.get(`${ORIGIN}/auth/sign-out`)).status(), 403); // not a click in a page of this site
  await bob.getByRole('link', { name: 'Sign out' }).click();
  await bob.getByRole('link', { name: 'Sign in' }).waitFor();
  await bob.context().addCookies(cookies);
  await bob.goto(ORIGIN);
  assert.equal(await bob.getByRole('link', { name: 'Sign in' }).count(), 1);
});

test('no page had an error', () => {
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});

const SOURCES = new URL('.', import.meta.url);
async function textsOf(directory, ending) {
  const names = await readdir(new URL(directory, SOURCES), { recursive: true });
  return Promise.all(names.filter((name) => ending.test(name)).map((name) => readFile(new URL(`${directory}${name}`, SOURCES), 'utf8')));
}

test('the scripts of the page have no secret', async () => {
  const scripts = (await textsOf('.next/static/', /\.js$/)).join('\n');
  assert.ok(scripts.includes(NEXT_PUBLIC_FETCH_ENDPOINT));
  for (const secret of [CLIENT_SECRET, 'todos_owner', 'DATABASE_URL']) assert.ok(!scripts.includes(secret));
});

test('docs/nextjs.md shows this code', async () => {
  const sources = [];
  for (const directory of ['app/', 'db/', 'lib/', 'drizzle/']) sources.push(...await textsOf(directory, /\.(tsx?|sql)$/));
  const blocks = [...(await readFile(PAGE, 'utf8')).matchAll(/^```(?:tsx?|sql)\n(.*?)^```$/gms)].map(([, block]) => block.trim());
  assert.ok(blocks.length >= 5);
  for (const block of blocks) assert.ok(sources.some((source) => source.includes(block)), block);
});

test('the setting of each provider', async () => {
  const examples = await textsOf('lib/auth/', /\.env\.example$/);
  assert.equal(examples.length, 6);
  for (const example of examples) {
    const [, query] = /^# (SELECT statement .*) \\gexec$/m.exec(example);
    const { rows: [{ statement }] } = await database.query(query);
    assert.match(statement, /^ALTER DATABASE todos SET pg_session_jwt.providers = /, query);
  }
});

test('no log has a token', async () => {
  for (const log of ['log/next', 'log/gateway', 'log/openid', 'log/build', 'nextjs-server/log']) {
    const text = await readFile(`${LOGS}/${log}`, 'utf8');
    assert.ok(!text.includes('eyJ') && !text.includes(CLIENT_SECRET), log);
  }
  assert.match(await readFile(`${LOGS}/log/next`, 'utf8'), /a change failed: 23514: /);
});
