// withToken for Drizzle on node-postgres, postgres-js and neon-serverless.
'use strict';

const pg = require('./pg.js');
const postgres = require('./postgres.js');
const { withRequest } = require('./request.js');

// Drizzle's own transaction, with its savepoints, in one that this package begins and ends: Drizzle would keep a client whose
// BEGIN failed, and lend one whose ROLLBACK failed. Its cache of results is left out: the keys do not contain the user.
function withToken(db, token, work, options) {
  return withRequest(token, options, (request) => {
    const { dialect, session, $client: client } = db;
    const uncached = { ...session.options, cache: undefined };
    const run = (lent) => new session.constructor(lent, dialect, session.schema, uncached).transaction(work);
    return typeof client === 'function'
      ? postgres.transaction(client, request, (sql) => run({ begin: (inner) => inner(sql) }))
      : pg.transaction(client, request, (lent) => run(begun(lent)));
  });
}

const ENDS = ['begin', 'commit', 'rollback'];

// A client whose transaction is begun and ended elsewhere.
const begun = (client) => ({
  query: async (config, ...rest) => (ENDS.includes(config.text?.trim()) ? { rows: [] } : client.query(config, ...rest)),
});

exports.withToken = withToken;
