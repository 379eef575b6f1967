import type { Options, Token } from './index.js';

// Kysely has separate types for ES modules and for CommonJS; so they are taken from the argument.
interface Database {
  transaction(): { execute(work: (transaction: any) => Promise<any>): Promise<unknown> };
}
type Transaction<Db extends Database> = Parameters<Parameters<ReturnType<Db['transaction']>['execute']>[0]>[0];

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Db extends Database, Result>(
  db: Db,
  token: Token,
  work: (transaction: Transaction<Db>) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
