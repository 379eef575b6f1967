// withToken for pg (node-postgres), and for Neon's Pool, which is made of it.
'use strict';

const { TransactionError } = require('./index.js');
const { withRequest } = require('./request.js');

const withToken = (pool, token, work, options) =>
  withRequest(token, options, (request) => transaction(pool, request, (client) => work(client)));

// Runs `work` with a client of the pool that works until the end of the transaction.
async function transaction(pool, request, work) {
  const client = await pool.connect();
  if (typeof client?.release !== 'function') throw new TypeError('withToken needs a pool, not a client');
  if (!request.open) client.release(); // the signal came first
  request.check();
  // Without a listener the loss of a connection would end the program. The pending statement fails as well.
  const ignore = () => {};
  client.on('error', ignore);
  let clean = false;
  try {
    await request.begin((statement) => begin(client, statement));
    const result = await request.run(() => work(lent(client, request)));
    const { command } = await client.query('COMMIT');
    clean = true;
    // A failed transaction is rolled back by COMMIT, without an error.
    if (command !== 'COMMIT') throw request.caught();
    return result;
  } catch (error) {
    // A connection with an aborted statement may be busy for long: it is closed.
    if (!clean && !request.signal?.aborted) clean = await rolledBack(client);
    throw error;
  } finally {
    client.removeListener('error', ignore);
    // The socket of a closed client may report an error after it has left the pool.
    if (!clean) client.on('error', ignore);
    client.release(!clean);
  }
}

async function rolledBack(client) {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

// BEGIN, role and token in one round trip; of clients that cannot do so (pg-native, pipelines), in two.
async function begin(client, { text, values }) {
  if (typeof client.connection?.parse === 'function' && !client.pipeline) {
    await new Promise((resolve, reject) => client.query(new Flight([['BEGIN', []], [text, values]], resolve, reject)));
  } else {
    await client.query('BEGIN');
    await client.query(text, values);
  }
}

// Several statements before one Sync: the first error skips those after it.
class Flight {
  constructor(statements, resolve, reject) {
    this.statements = statements;
    this.callback = (error) => (error ? reject(error) : resolve());
  }

  submit(connection) {
    connection.stream.cork?.();
    try {
      for (const [text, values] of this.statements) {
        connection.parse({ text, name: '', types: [] });
        connection.bind({ portal: '', statement: '', values, binary: false, valueMapper: (value) => value });
        connection.execute({ portal: '', rows: 0 });
      }
      connection.sync();
    } finally {
      connection.stream.uncork?.();
    }
    return null;
  }

  // After an error PostgreSQL is ready as well; the first call counts.
  handleError(error) {
    this.callback(error);
  }

  handleReadyForQuery() {
    this.callback();
  }

  handleRowDescription() {}
  handleDataRow() {}
  handleCommandComplete() {}
  handleEmptyQuery() {}
}

// The client as the application gets it: after the end of the transaction it belongs to another user. `release` and `end`
// are the pool's matter.
function lent(client, request) {
  const remember = (error) => {
    if (error) request.firstError ??= error;
  };
  const query = (...args) => {
    request.check();
    const position = args.findIndex((argument) => typeof argument === 'function');
    if (position !== -1) {
      const callback = args[position];
      args[position] = (error, result) => {
        remember(error);
        callback(error, result);
      };
    }
    const result = client.query(...args);
    if (typeof result?.then === 'function') result.then(undefined, remember);
    return result;
  };
  const unavailable = () => {
    throw new TransactionError('withToken releases the client');
  };
  // A promise is rejected where pg would return one; cursors and callbacks get an exception.
  const replaced = {
    query: (...args) => (args.some((argument) => typeof argument === 'function' || argument?.submit) ? query(...args) : promised(query, args)),
    connect: unavailable,
    end: unavailable,
    release: unavailable,
  };
  return new Proxy(client, {
    get(target, key) {
      if (Object.hasOwn(replaced, key)) return replaced[key];
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const promised = async (query, args) => query(...args);

exports.transaction = transaction;
exports.withToken = withToken;
