// withToken for TypeORM on pg.
'use strict';

const { onConnection } = require('./connection.js');
const { withRequest } = require('./request.js');

const withToken = (dataSource, token, work, options) =>
  withRequest(token, options, (request) => {
    if (dataSource.queryResultCache) {
      throw new TypeError('The cache of the data source does not tell users apart: use a data source without `cache`');
    }
    return dataSource.transaction(async (manager) => {
      const connection = await manager.queryRunner.connect();
      return onConnection(connection, request, () => work(manager));
    });
  });

exports.withToken = withToken;
