// The driver under test, set up for a gateway on this machine, and a direct connection to compare with.

import pg from 'pg';
import ws from 'ws';

const { DRIVER, GATEWAY, PGDATABASE } = process.env;

export const { neon, neonConfig, Client, Pool, NeonDbError } = await import(DRIVER);
export const VERSION = DRIVER.split('-')[1]; // its name here is neon-VERSION

// These four lines are all that differs from a program that uses Neon.
neonConfig.fetchEndpoint = () => `http://${GATEWAY}/sql`;
neonConfig.wsProxy = () => `${GATEWAY}/v2`;
neonConfig.useSecureWebSocket = false;
neonConfig.webSocketConstructor = ws; // Node.js 22 and newer has one

export const {
  ALICE_ID, BOB_ID, ALICE_TOKEN, BOB_TOKEN, EXPIRED_TOKEN, FORGED_TOKEN, FOREIGN_TOKEN,
} = process.env;

// The connection string of a role. The host is not used. Over WebSocket the password is the token; over HTTP it is not used,
// but neon() of 0.10.4 insists on one.
export const url = (role, password = 'unused') => `postgresql://${role}:${password}@db.example.com/${PGDATABASE}`;

// neon() for the user of this token, or for a visitor without one.
export const as = (token, options = {}) => neon(url(token ? 'authenticated' : 'anonymous'), { authToken: token, ...options });

// `sql.query(text, values, options)`, which 0.10.4 calls `sql(text, values, options)`.
export const query = (sql, ...args) => (sql.query ?? sql)(...args);

// A connection to PostgreSQL itself, as the gateway's login and with the role and the identity that a request has.
export async function direct(token, role = token ? 'authenticated' : 'anonymous') {
  const client = new pg.Client({ user: 'jwt_gateway' });
  await client.connect();
  await client.query(`set role ${role}`);
  if (token) await client.query('select auth.jwt_session_init($1)', [token]);
  return client;
}

// A connection to PostgreSQL that sees everything.
export async function administrator() {
  const client = new pg.Client({ user: 'postgres' });
  await client.connect();
  return client;
}

// What a statement throws.
export async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const ERROR_FIELDS = [
  'message', 'severity', 'code', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where', 'schema',
  'table', 'column', 'dataType', 'constraint', 'file', 'line', 'routine',
];

// The fields that PostgreSQL gave an error.
export const fieldsOf = (error) => Object.fromEntries(ERROR_FIELDS.map((name) => [name, error[name]]).filter(([, value]) => value !== undefined));
