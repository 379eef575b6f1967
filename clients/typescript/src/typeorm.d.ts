import type { DataSource, EntityManager } from 'typeorm';
import type { Options, Token } from './index.js';

/** Runs `work` in one transaction with the role and the identity of the token. */
export declare function withToken<Result>(
  dataSource: DataSource,
  token: Token,
  work: (manager: EntityManager) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
