// The errors that withToken throws beside those of the application and of the database.
'use strict';

// PostgreSQL's fields of an error that say what happened. None of them has the parameters of a statement.
const FIELDS = ['code', 'detail', 'hint', 'severity', 'schema', 'table', 'column', 'constraint'];

class DatabaseError extends Error {
  constructor(message, fields = {}) {
    super(message);
    this.name = this.constructor.name;
    for (const field of FIELDS) {
      if (typeof fields[field] === 'string') this[field] = fields[field];
    }
  }
}

// PostgreSQL rejected the token (SQLSTATE class 28): answer with status 401.
class TokenError extends DatabaseError {
  status = 401;
}

// A policy or a privilege is missing (SQLSTATE 42501): answer with status 403.
class ForbiddenError extends DatabaseError {
  status = 403;
}

// The transaction cannot be used: it has ended, it is nested, or an earlier error in it was caught.
class TransactionError extends Error {
  constructor(message) {
    super(message);
    this.name = 'TransactionError';
  }
}

exports.DatabaseError = DatabaseError;
exports.ForbiddenError = ForbiddenError;
exports.TokenError = TokenError;
exports.TransactionError = TransactionError;
