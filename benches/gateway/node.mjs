// Clients with node's `pg`: a transaction for each request, as an application has it without a gateway. The arguments are a
// file of tokens, the size of the pool, the role, the statement and its parameter. Each line of the input is a turn: clients,
// seconds, and whether each request has a new token. Its answer is a line: requests, seconds, p50 and p99 in milliseconds.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import pg from 'pg';

const [file, size, role, statement, parameter] = process.argv.slice(2);
const tokens = readFileSync(file, 'utf8').split('\n');
const pool = new pg.Pool({ max: Number(size), idleTimeoutMillis: 0 });
const IDENTITY = "select set_config('role', $1, true), auth.jwt_session_init($2, true)";
let next = 0;

async function request(token) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(IDENTITY, [role, token]);
    const { rowCount } = await client.query(statement, [parameter]);
    await client.query('commit');
    if (rowCount !== 1) throw new Error(`${rowCount} rows`);
  } finally {
    client.release();
  }
}

async function turn(clients, seconds, isNew) {
  const latencies = [];
  const begun = performance.now();
  const one = async () => {
    while (performance.now() - begun < seconds * 1000) {
      const token = isNew ? tokens[next++ % tokens.length] : tokens[0];
      const sent = performance.now();
      await request(token);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  const took = (performance.now() - begun) / 1000;
  latencies.sort((a, b) => a - b);
  const percentile = (share) => latencies[Math.floor(((latencies.length - 1) * share) / 100)];
  return [latencies.length, took, percentile(50), percentile(99)];
}

for await (const line of createInterface({ input: process.stdin })) {
  const [clients, seconds, isNew] = line.split(' ');
  console.log((await turn(Number(clients), Number(seconds), isNew === 'true')).join(' '));
}
