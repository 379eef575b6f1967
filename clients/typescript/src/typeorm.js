// withToken for TypeORM on pg.
'use strict';

const { onConnection } = require('./connection.js');
const { withRequest } = require('./request.js');

const withToken = (dataSource, token, work, options) =>
  withRequest(token, options, (request) =>
    dataSource.transaction(async (manager) => {
      const connection = await manager.queryRunner.connect();
      return onConnection(connection, request, () => work(manager));
    }));

exports.withToken = withToken;
