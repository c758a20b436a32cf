#!/bin/sh
# The roles of docs/operations.md, made once when the database is: one owns the tables, one is the server's.
# The server's role takes the rights of banyan_app, which owns nothing: row-level security binds it.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname banyan \
    --set owner="$OWNER_PASSWORD" --set server="$SERVER_PASSWORD" <<'SQL'
CREATE ROLE banyan_owner LOGIN PASSWORD :'owner' CREATEROLE;
CREATE ROLE banyan_app NOLOGIN;
CREATE ROLE banyan_server LOGIN PASSWORD :'server' NOINHERIT IN ROLE banyan_app;
ALTER DATABASE banyan OWNER TO banyan_owner;
SQL
