import type { Options, Token } from './index.js';

// Drizzle has separate types for ES modules and for CommonJS; so they are taken from the argument.
interface Database {
  transaction(work: (transaction: any) => Promise<any>): Promise<unknown>;
}
type Transaction<Db extends Database> = Parameters<Parameters<Db['transaction']>[0]>[0];

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Db extends Database, Result>(
  db: Db,
  token: Token,
  work: (transaction: Transaction<Db>) => Promise<Result>,
  options?: Options,
): Promise<Result>;
