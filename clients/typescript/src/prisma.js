// withToken for Prisma on its adapter for pg.
'use strict';

const { withRequest } = require('./request.js');

// Prisma puts parameters into its log and its errors. The errors are replaced; `log: ['query']` would print the token.
const withToken = (prisma, token, work, { transaction, ...options } = {}) =>
  withRequest(token, options, (request) =>
    prisma.$transaction(async (client) => {
      await request.begin(({ text, values }) => client.$executeRawUnsafe(text, ...values));
      const result = await request.run(() => work(client));
      // COMMIT would roll back a failed transaction without an error; this statement has one.
      await client.$executeRawUnsafe('SELECT');
      return result;
    }, transaction));

// For $extends: adds `prisma.$withToken(token, work, options)`.
const extension = {
  name: 'pg-session-jwt',
  client: {
    $withToken(token, work, options) {
      return withToken(this, token, work, options);
    },
  },
};

exports.extension = extension;
exports.withToken = withToken;
