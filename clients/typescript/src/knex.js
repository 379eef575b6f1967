// withToken for Knex on pg.
'use strict';

const { onConnection } = require('./connection.js');
const { withRequest } = require('./request.js');

const withToken = (knex, token, work, options) =>
  withRequest(token, options, (request) =>
    knex.transaction(async (transaction) => {
      const connection = await transaction.client.acquireConnection();
      return onConnection(connection, request, () => work(transaction));
    }));

exports.withToken = withToken;
