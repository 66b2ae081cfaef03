#!/bin/bash
# postgres.sh start|stop|status: a PostgreSQL server beside the cluster, as RDS would be. It keeps its data over a stop.
# $ROOT/postgres/secret.env tells how to reach it.
set -euo pipefail
. "$(dirname "$0")/env.sh"; . "$HERE/pki.sh"
FOLDER=$ROOT/postgres DATA=$POSTGRES_MOUNT/data PORT=5433
PATH=/usr/lib/postgresql/15/bin:$PATH

# The server does not run as root, and root's home is closed to others: its folder is mounted in a reachable place,
# which only it sees.
# shellcheck disable=SC2016  # expanded by the inner shell
as_postgres=(unshare --mount sh -c 'mount --bind "$0" '"$POSTGRES_MOUNT"' && cd / &&
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"' "$FOLDER")

secret() {
  local password; password=$(openssl rand -hex 16)
  keep "$FOLDER/secret.env" <<E
PGHOST=$NODE_IP
PGPORT=$PORT
PGUSER=underwriter
PGPASSWORD=$password
PGDATABASE=underwriter
DATABASE_URL=postgresql://underwriter:$password@$NODE_IP:$PORT/underwriter?sslmode=require
E
}

# The role is no superuser, as in RDS. Only complete data gets its final name.
create() {
  local password; password=$(sed -n s/^PGPASSWORD=//p "$FOLDER/secret.env")
  rm -rf "$FOLDER/data.new"
  "${as_postgres[@]}" initdb -D "$DATA.new" --encoding=UTF8 --locale=C.UTF-8 --auth=reject >/dev/null
  cat >"$FOLDER/data.new/pg_hba.conf" <<H
host all underwriter 127.0.0.1/32 scram-sha-256
host all underwriter $POD_NET scram-sha-256
H
  "${as_postgres[@]}" postgres --single -D "$DATA.new" postgres >/dev/null <<S
CREATE ROLE underwriter LOGIN CREATEDB PASSWORD '$password'
CREATE DATABASE underwriter OWNER underwriter
S
  mv "$FOLDER/data.new" "$FOLDER/data"
}

prepare() {
  mkdir -p "$FOLDER" "$POSTGRES_MOUNT"
  chown postgres: "$FOLDER"
  secret
  [ -d "$FOLDER/data" ] || create
  server_certificate postgres
  install -o postgres -m 600 "$PKI/postgres.crt" "$PKI/postgres.key" "$FOLDER"
}

launch() {
  daemon postgres "${as_postgres[@]}" postgres -D "$DATA" -c port=$PORT -c listen_addresses=127.0.0.1,$NODE_IP \
    -c unix_socket_directories= -c max_connections=200 \
    -c ssl=on -c ssl_cert_file=$POSTGRES_MOUNT/postgres.crt -c ssl_key_file=$POSTGRES_MOUNT/postgres.key
}

ready() { pg_isready -q -h $NODE_IP -p $PORT -U underwriter -d underwriter; }
# After a kill -9 a new server ends at once for as long as the old one's children live.
launched() { pid_of postgres || { launch; sleep 0.3; false; }; ready; }

start() {
  [ -e /sys/class/net/$BRIDGE ] || die "no bridge to listen on; run up.sh first"
  if ! pid_of postgres >/dev/null; then require_free $PORT; prepare; fi
  wait_for 60 launched || die "see $LOG/postgres.log"
}

# INT ends sessions and writes a checkpoint.
service postgres INT "$NODE_IP:$PORT, $FOLDER/secret.env" "$@"
