// One call of withToken: its arguments, whether its transaction is open, and the errors that leave it.
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const { DatabaseError, ForbiddenError, TokenError, TransactionError } = require('./index.js');
const { redacted } = require('./redact.js');

const current = new AsyncLocalStorage();

class Request {
  open = true;
  // The first error of a statement. What follows it in the transaction fails with 25P02 only.
  firstError = undefined;

  constructor(token, { role = 'authenticated', anonymous = 'anonymous', signal } = {}) {
    this.token = token ?? undefined;
    this.role = this.token === undefined ? anonymous : role;
    this.signal = signal;
    if (this.token !== undefined && typeof this.token !== 'string') throw new TypeError('The token must be a string');
    // An empty role and `none` would be the login itself.
    if (typeof this.role !== 'string' || this.role === '' || this.role.toLowerCase() === 'none') {
      throw new TypeError('The role must be the name of a role, and not none');
    }
  }

  // Role and token in one statement, for drivers with $1 and $2.
  get statement() {
    return this.token === undefined ? { text: AS_VISITOR, values: [this.role] } : { text: AS_USER, values: [this.role, this.token] };
  }

  check() {
    if (!this.open) throw new TransactionError('The transaction of withToken has ended');
  }

  close() {
    this.open = false;
  }

  // Presents role and token by `present`. Its error is replaced, because drivers add the parameters to theirs.
  async begin(present) {
    this.check();
    try {
      await present(this.statement);
    } catch (error) {
      throw this.failure(error);
    }
  }

  // Runs the application's part. After its end, or the signal, the transaction accepts no more statements of it.
  async run(work) {
    this.check();
    try {
      return await this.abortable(current.run(this, async () => work()));
    } finally {
      this.close();
    }
  }

  // The promise, or the reason of the signal if that comes first. What happens to the end of the transaction is not aborted.
  async abortable(promise) {
    if (!this.signal) return promise;
    const { signal } = this;
    let abort;
    const aborted = new Promise((_, reject) => {
      abort = () => this.open && reject(signal.reason);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
    promise.catch(() => {});
    try {
      return await Promise.race([aborted, promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  // What to throw for a transaction that has failed although `work` has not: it caught the error.
  caught() {
    return this.firstError ?? new TransactionError('A statement of the transaction failed, and its error was caught');
  }

  // An error of role or token without the driver's own, whose message or fields can have the parameters.
  failure(error) {
    const reported = reportedBy(error);
    if (reported) return translated(reported) ?? new DatabaseError(reported.message, reported);
    const reason = innermost(error);
    return redacted(reason === error ? error : new DatabaseError(reason.message, reason), this.token);
  }

  // What leaves withToken instead of `error`.
  thrown(error) {
    let reported = reportedBy(error);
    if (reported?.code === '25P02') {
      error = this.caught();
      reported = reportedBy(error);
    }
    return redacted((reported && translated(reported)) ?? error, this.token);
  }
}

// The role first: a provider can restrict its tokens to roles. A function in FROM is called before the list of SELECT.
const AS_USER = 'SELECT auth.jwt_session_init($2, true)::pg_catalog.text FROM pg_catalog.set_config(\'role\', $1, true)';
// An empty token: a user that other code left in the session ends here, until the end of the transaction.
const AS_VISITOR = 'SELECT pg_catalog.set_config(\'pg_session_jwt.jwt\', \'\', true) FROM pg_catalog.set_config(\'role\', $1, true)';

const SQLSTATE = /^[0-9A-Z]{5}$/;

// An ORM keeps the error of the driver in one of these.
const inner = (error) => [error.cause, error.original, error.driverError, error.meta?.driverAdapterError];

// The error that PostgreSQL itself reported, with its SQLSTATE.
function reportedBy(error, depth = 0) {
  if (error === null || typeof error !== 'object' || depth === 5) return undefined;
  const code = error.originalCode ?? error.code;
  if (typeof code === 'string' && SQLSTATE.test(code) && typeof (error.severity ?? error.originalCode) === 'string') {
    return { ...error, code, message: error.originalMessage ?? error.message };
  }
  return inner(error).map((part) => reportedBy(part, depth + 1)).find(Boolean);
}

function innermost(error) {
  const part = error && typeof error === 'object' ? inner(error).find((part) => part instanceof Error) : undefined;
  return part ? innermost(part) : error;
}

// A rejected login is FATAL: it is no matter of the token.
function translated(reported) {
  if (reported.code.startsWith('28') && reported.severity !== 'FATAL') return new TokenError(reported.message, reported);
  if (reported.code === '42501') return new ForbiddenError(reported.message, reported);
  return undefined;
}

// Runs `transact` for one call of withToken, which gets the request.
async function withRequest(token, options, transact) {
  const request = new Request(token, options);
  if (current.getStore()?.open) {
    throw new TransactionError('withToken was called within withToken: pass the transaction on instead');
  }
  try {
    request.signal?.throwIfAborted();
    return await request.abortable(transact(request));
  } catch (error) {
    throw request.thrown(error);
  } finally {
    request.close();
  }
}

exports.withRequest = withRequest;
