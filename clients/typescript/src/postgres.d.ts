import type { Sql, TransactionSql } from 'postgres';
import type { Options, Token } from './index.js';

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Types extends Record<string, unknown>, Result>(
  sql: Sql<Types>,
  token: Token,
  work: (sql: TransactionSql<Types>) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
