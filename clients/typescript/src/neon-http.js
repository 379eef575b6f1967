// withToken for drivers over HTTP, where each statement is a separate request and transaction: @neondatabase/serverless,
// drizzle-orm/neon-http, kysely-neon. There is no connection that could keep an identity.
'use strict';

const { withRequest } = require('./request.js');

const withToken = (connect, token, work, options) =>
  withRequest(token, options, (request) => request.run(() => work(connect(request.role, request.token))));

exports.withToken = withToken;
