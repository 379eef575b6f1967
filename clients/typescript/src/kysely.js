// withToken for Kysely on its PostgresDialect.
'use strict';

const { withRequest } = require('./request.js');

const withToken = (db, token, work, options) =>
  withRequest(token, options, (request) =>
    db.transaction().execute(async (transaction) => {
      await request.begin(({ text, values }) => transaction.executeQuery(compiled(text, values.map((value) => new Parameter(value)))));
      const result = await request.run(() => work(lent(transaction, request)));
      // COMMIT would roll back a failed transaction without an error; this statement has one.
      if (request.firstError) await transaction.executeQuery(compiled('SELECT', []));
      return result;
    }));

// Kysely gives parameters to its log. pg asks an object for its value when it sends it.
class Parameter {
  #value;

  constructor(value) {
    this.#value = value;
  }

  toPostgres() {
    return this.#value;
  }
}

const compiled = (sql, parameters) => ({
  sql,
  parameters,
  query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
  queryId: { queryId: 'withToken' },
});

// The statements of a transaction wait for their turn. When one fails, those behind it still come, and would then run on a
// connection that belongs to another user.
function lent(transaction, request) {
  const executor = transaction.getExecutor();
  const provideConnection = (consumer) =>
    executor.provideConnection(async (connection) => {
      request.check();
      try {
        return await consumer(connection);
      } catch (error) {
        request.firstError ??= error;
        throw error;
      }
    });
  return new transaction.constructor({
    config: {},
    dialect: {},
    driver: {},
    executor: executor.withConnectionProvider({ provideConnection }),
  });
}

exports.withToken = withToken;
