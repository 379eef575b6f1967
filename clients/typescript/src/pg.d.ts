import type { Pool, PoolClient } from 'pg';
import type { Options, Token } from './index.js';

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Result>(
  pool: Pool,
  token: Token,
  work: (client: PoolClient) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
