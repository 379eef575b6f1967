import type { Options as BaseOptions, Token } from './index.js';

export interface Options extends BaseOptions {
  /** The options of Prisma's interactive transaction. */
  transaction?: { maxWait?: number; timeout?: number };
}

// Any generated client, with or without extensions.
interface Client {
  $transaction: unknown;
  $executeRawUnsafe: unknown;
}
type Transaction<Prisma> = Omit<Prisma, '$connect' | '$disconnect' | '$extends' | '$on' | '$transaction' | '$use' | '$withToken'>;

/** Runs `work` in one interactive transaction with the role and the identity of the token. */
export declare function withToken<Prisma extends Client, Result>(
  prisma: Prisma,
  token: Token,
  work: (client: Transaction<Prisma>) => Result | PromiseLike<Result>,
  options?: Options,
): Promise<Result>;

/** For `prisma.$extends(extension)`, which adds `$withToken`. */
export declare const extension: {
  name: string;
  client: {
    $withToken<Prisma, Result>(
      this: Prisma,
      token: Token,
      work: (client: Transaction<Prisma>) => Result | PromiseLike<Result>,
      options?: Options,
    ): Promise<Result>;
  };
};
