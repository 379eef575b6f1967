/** A token as the client sent it, without `Bearer`. Without one, the transaction runs as the anonymous role. */
export type Token = string | null | undefined;

export interface Options {
  /** The role of a user with a token. Default: `authenticated`. */
  role?: string;
  /** The role without a token. Default: `anonymous`. */
  anonymous?: string;
  /** Ends the transaction with ROLLBACK. */
  signal?: AbortSignal;
}

/** What PostgreSQL reported about the role, the token or the transaction. It never contains the token. */
export declare class DatabaseError extends Error {
  /** SQLSTATE. */
  code?: string;
  detail?: string;
  hint?: string;
  severity?: string;
  schema?: string;
  table?: string;
  column?: string;
  constraint?: string;
}

/** PostgreSQL rejected the token (SQLSTATE class 28). */
export declare class TokenError extends DatabaseError {
  status: 401;
}

/** A policy or a privilege is missing (SQLSTATE 42501). */
export declare class ForbiddenError extends DatabaseError {
  status: 403;
}

/** The transaction has ended, is nested in another one, or had an error that was caught. */
export declare class TransactionError extends Error {}
