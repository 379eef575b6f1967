// All access to the database: transactions with the identity of one person.

import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';

const pool = new pg.Pool(); // uses PGHOST, PGUSER, PGDATABASE … of the environment
pool.on('error', (error) => console.error(`an idle connection was lost: ${error.message}`));
const db = drizzle(pool);

// Runs `work` in a transaction on a shared connection; role and identity end with the transaction. The token is a bound
// parameter, because PostgreSQL logs the text of statements. Row-level security gives `work` only the rows of this person.
export function asUser(token, work) {
  return db.transaction(async (tx) => {
    await tx.execute(sql`set local role authenticated`);
    await tx.execute(sql`select auth.jwt_session_init(${token}, true)`).catch((error) => {
      // Drizzle's message contains the parameters, here the token. PostgreSQL's own error does not.
      throw error.cause ?? error;
    });
    return work(tx);
  });
}

// Returns PostgreSQL's error, which contains no text from a form.
export const causeOf = ({ cause, code, message }) => (cause ? causeOf(cause) : { code: String(code), message });
