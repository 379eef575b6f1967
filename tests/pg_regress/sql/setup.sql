-- All tests: create the extension.
CREATE EXTENSION pg_session_jwt;
