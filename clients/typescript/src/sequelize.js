// withToken for Sequelize on pg.
'use strict';

const { onConnection } = require('./connection.js');
const { withRequest } = require('./request.js');

const withToken = (sequelize, token, work, options) =>
  withRequest(token, options, (request) =>
    sequelize.transaction(async (transaction) => {
      const connection = transaction.connection;
      return onConnection(connection, request, () => work(transaction));
    }));

exports.withToken = withToken;
