// withToken for postgres (postgres.js).
'use strict';

const { TransactionError } = require('./index.js');
const { withRequest } = require('./request.js');

const withToken = (sql, token, work, options) =>
  withRequest(token, options, (request) => transaction(sql, request, (lentSql) => work(lentSql)));

// Runs `work` with the `sql` of a transaction that works until its end. postgres.js itself awaits BEGIN, sends COMMIT or
// ROLLBACK, and throws the first error of a statement even if it was caught.
//
// It sends them even if the connection was lost, on the next connection in its place, where another user's transaction can
// be. So the callback of a lost connection never returns; `begin` has then been rejected, or will be when the socket closes.
function transaction(sql, request, work) {
  let lost = false;
  const transacted = sql.begin(async (scoped) => {
    try {
      await request.begin(({ text, values }) => {
        const presented = scoped.unsafe(text, values, { prepare: sql.options.prepare });
        presented.catch((error) => (lost ||= isLoss(error)));
        return presented;
      });
      return await request.run(() => work(lent(scoped, request, (error) => (lost ||= isLoss(error)))));
    } finally {
      if (lost) await new Promise(() => {});
    }
  });
  transacted.catch(() => {
    lost = true;
    request.close();
  });
  return transacted;
}

// After a FATAL error the server closes the connection. The others are postgres.js's own.
const isLoss = (error) =>
  error?.severity === 'FATAL' || String(error?.code).startsWith('CONNECT') || error?.syscall !== undefined;

// A statement of postgres.js is sent when it is awaited, which can be after the end of the transaction. The connection then
// belongs to another user.
function lent(scoped, request, failed) {
  const guarded = (query) => {
    const send = query?.handler;
    if (typeof send === 'function') {
      query.handler = (sent) => {
        try {
          request.check();
        } catch (error) {
          return sent.reject(error);
        }
        sent.catch(failed);
        return send(sent);
      };
    }
    return query;
  };
  const reject = () => {
    throw new TransactionError('withToken does not support this: it could outlast the transaction');
  };
  const replaced = {
    file: reject,
    prepare: reject,
    notify: async (...args) => {
      request.check();
      return scoped.notify(...args);
    },
    savepoint: async (...args) => {
      request.check();
      const work = args.pop();
      return scoped.savepoint(...args, (inner) => work(lent(inner, request, failed)));
    },
    unsafe: (...args) => guarded(scoped.unsafe(...args)),
  };
  return new Proxy(scoped, {
    apply: (target, self, args) => guarded(Reflect.apply(target, self, args)),
    get: (target, key) => (Object.hasOwn(replaced, key) ? replaced[key] : Reflect.get(target, key, target)),
  });
}

exports.transaction = transaction;
exports.withToken = withToken;
