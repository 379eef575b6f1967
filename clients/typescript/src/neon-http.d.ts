import type { Options, Token } from './index.js';

/** Runs `work` with what `connect` returns for the role and the token. Each statement is a transaction. */
export declare function withToken<Database, Result>(
  connect: (role: string, token: string | undefined) => Database,
  token: Token,
  work: (db: Database) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;
