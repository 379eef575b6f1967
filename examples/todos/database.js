// The only way to the database: a transaction with the identity of one person.

import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';

const pool = new pg.Pool(); // PGHOST, PGUSER, PGDATABASE … of the environment
pool.on('error', (error) => console.error(`an idle connection was lost: ${error.message}`));
const db = drizzle(pool);

// The connection is everybody's; role and identity end with the transaction. The token is a bound parameter, so it is in
// no statement text, which PostgreSQL would log. Whatever `work` asks for, row-level security gives it only this person's.
export function asUser(token, work) {
  return db.transaction(async (tx) => {
    await tx.execute(sql`set local role authenticated`);
    await tx.execute(sql`select auth.jwt_session_init(${token}, true)`).catch((error) => {
      // Drizzle's message repeats the parameters, and this one is the token. PostgreSQL's own error has nothing of it.
      throw error.cause ?? error;
    });
    return work(tx);
  });
}

// PostgreSQL's own words for what went wrong, without anything that was written into a form.
export const causeOf = ({ cause, code, message }) => (cause ? causeOf(cause) : { code: String(code), message });
