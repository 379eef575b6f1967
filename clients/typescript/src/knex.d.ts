import type { Knex } from 'knex';
import type { Options, Token } from './index.js';

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Result>(
  knex: Knex,
  token: Token,
  work: (transaction: Knex.Transaction) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
