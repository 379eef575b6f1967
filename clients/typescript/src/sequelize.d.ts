import type { Sequelize, Transaction } from 'sequelize';
import type { Options, Token } from './index.js';

/** Runs `work` in one transaction with the role and the identity of the token. Pass the transaction to each call. */
export declare function withToken<Result>(
  sequelize: Sequelize,
  token: Token,
  work: (transaction: Transaction) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
