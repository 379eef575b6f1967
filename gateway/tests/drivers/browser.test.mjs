// The driver in a page, which comes from another origin than the gateway: Chromium asks before it sends a request.
//
// One gateway accepts all origins. The other accepts the page's only, and has TLS and the names that the driver expects.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { ALICE_ID, ALICE_TOKEN, BOB_ID, BOB_TOKEN, EXPIRED_TOKEN } from './driver.mjs';

const { CHROMIUM, DRIVER, GATEWAY, ORIGIN, TLS_PORT } = process.env;
const DATABASE = process.env.PGDATABASE;
const LIMIT = 60_000; // milliseconds, enough on a busy machine

const { outputFiles: [{ text: script }] } = await build({
  stdin: { contents: `export * from '${DRIVER}'`, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
  bundle: true, format: 'iife', globalName: 'driver', platform: 'browser', write: false, logLevel: 'error',
});
const site = createServer((request, response) => {
  if (request.url === '/driver.js') response.setHeader('Content-Type', 'text/javascript').end(script);
  else response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Todos</title><script src="/driver.js"></script>');
});
await new Promise((ready) => { site.listen(new URL(ORIGIN).port, ready); });

// Without the sandbox, which containers seldom permit. The browser opens only these pages. The other arguments are in place of
// DNS and of a certificate that the browser trusts.
const args = ['--no-sandbox', `--host-resolver-rules=MAP *.example.com 127.0.0.1:${TLS_PORT}`, '--ignore-certificate-errors'];
const browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: LIMIT });
after(async () => {
  await browser.close();
  site.close();
  site.closeAllConnections();
});

// Opens a page in a separate browser, which remembers no permission. Returns it with the requests that it sends.
async function open(origin = ORIGIN) {
  const context = await browser.newContext();
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  const requests = [];
  network.on('Network.requestWillBeSent', ({ request: { method, url } }) => {
    if (url.endsWith('/sql')) requests.push(method);
  });
  await network.send('Network.enable');
  await page.goto(origin);
  return { page, requests };
}

// Runs `work(sql, input)` in the page, with the driver of this user. Returns its result, or the error that it throws. Without a
// gateway the driver is not configured, and uses the names and the port that it derives from the connection string.
function run(page, token, work, input = {}, gateway = GATEWAY) {
  const role = token ? 'authenticated' : 'anonymous';
  return page.evaluate(async ({ role, token, gateway, database, work, input }) => {
    const { neon, neonConfig } = globalThis.driver;
    if (gateway) {
      neonConfig.fetchEndpoint = () => `http://${gateway}/sql`;
      neonConfig.wsProxy = () => `${gateway}/v2`;
      neonConfig.useSecureWebSocket = false;
    }
    const sql = neon(`postgresql://${role}:unused@db.example.com/${database}`, { authToken: token, disableWarningInBrowsers: true });
    try {
      // eslint-disable-next-line no-eval
      return await (0, eval)(`(${work})`)(sql, input);
    } catch (error) {
      return { name: error.name, code: error.code, message: error.message };
    }
  }, { role, token, gateway, database: DATABASE, work: String(work), input });
}

const add = (sql, task) => sql`insert into todos (task) values (${task}) returning user_id, task`;
const read = (sql) => sql`select user_id, task from todos order by id`;

test('two users in two browsers', async () => {
  const [alice, bob] = [await open(), await open()];
  const [hers, his] = [{ user_id: ALICE_ID, task: 'water the plants' }, { user_id: BOB_ID, task: 'feed the cat' }];
  assert.deepEqual(await run(alice.page, ALICE_TOKEN, add, hers.task), [hers]);
  assert.deepEqual(await run(bob.page, BOB_TOKEN, add, his.task), [his]);
  assert.deepEqual(await run(alice.page, ALICE_TOKEN, read), [hers]);
  assert.deepEqual(await run(bob.page, BOB_TOKEN, read), [his]);
  // The browser asked once, and remembers the answer.
  assert.deepEqual([...alice.requests].sort(), ['OPTIONS', 'POST', 'POST']);
  assert.deepEqual([...bob.requests].sort(), ['OPTIONS', 'POST', 'POST']);
});

test('an expired token, and none', async () => {
  const { page, requests } = await open();
  assert.deepEqual(await run(page, EXPIRED_TOKEN, read), { name: 'NeonDbError', code: '28000', message: 'Token used after it has expired' });
  assert.deepEqual(await run(page, undefined, read), []);
  assert.deepEqual(await run(page, undefined, (sql) => sql`select text from notices where id = 1`), [{ text: 'open on Sundays' }]);
  assert.equal(requests.filter((method) => method === 'OPTIONS').length, 1);
});

test('a transaction with all options, whose headers need permission too', async () => {
  const { page, requests } = await open();
  const work = (sql) => sql.transaction(
    (tx) => [tx`select current_setting('transaction_isolation') as a, current_setting('transaction_deferrable') as b`, tx`select auth.user_id() as id`],
    { isolationLevel: 'Serializable', readOnly: true, deferrable: true },
  );
  assert.deepEqual(await run(page, BOB_TOKEN, work), [[{ a: 'serializable', b: 'on' }], [{ id: BOB_ID }]]);
  assert.deepEqual(requests.sort(), ['OPTIONS', 'POST']);
});

async function transaction(_, { database, token }) {
  const client = new globalThis.driver.Client(`postgresql://authenticated:${token}@db.example.com/${database}`);
  await client.connect();
  await client.query('begin');
  const { rows } = await client.query('select auth.user_id() as id');
  await client.query('commit');
  await client.end();
  return rows;
}

test('a WebSocket', async () => {
  const { page } = await open();
  assert.deepEqual(await run(page, undefined, transaction, { database: DATABASE, token: ALICE_TOKEN }), [{ id: ALICE_ID }]);
});

test('no configuration: api.example.com, apiauth.example.com and db.example.com', async () => {
  const { page } = await open();
  const who = (sql) => sql`select auth.user_id() as id, current_user as role`;
  assert.deepEqual(await run(page, BOB_TOKEN, who, {}, null), [{ id: BOB_ID, role: 'authenticated' }]);
  assert.deepEqual(await run(page, undefined, who, {}, null), [{ id: null, role: 'anonymous' }]);
  assert.deepEqual(await run(page, undefined, transaction, { database: DATABASE, token: ALICE_TOKEN }, null), [{ id: ALICE_ID }]);
});

test('a gateway with --allow-origin', async () => {
  const { page } = await open();
  // The same page by another name is another origin, whose request the browser does not send.
  const other = await open(ORIGIN.replace('localhost', '127.0.0.1'));
  const { name, message } = await run(other.page, BOB_TOKEN, (sql) => sql`insert into todos (task) values ('x')`, {}, null);
  assert.equal(name, 'NeonDbError');
  assert.match(message, /^Error connecting to database: .*Failed to fetch/);
  assert.deepEqual(await run(page, BOB_TOKEN, (sql) => sql`select * from todos where task = 'x'`), []);
});
