#!/bin/sh
# Run by the PostgreSQL of compose.yaml when its data directory is new.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --command 'CREATE EXTENSION pg_session_jwt'
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /gateway/setup.sql
