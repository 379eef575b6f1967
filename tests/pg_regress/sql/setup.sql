-- What every test has: the extension.
CREATE EXTENSION pg_session_jwt;
