#!/bin/bash
# s3.sh start|stop|status: an S3 server (SeaweedFS) beside the cluster, with the buckets loans and artifacts.
# It keeps its data over a stop. $ROOT/s3/secret.env tells how to reach it.
set -euo pipefail
. "$(dirname "$0")/env.sh"; . "$HERE/pki.sh"
FOLDER=$ROOT/s3 HTTP=8333 HTTPS=8334

secret() {
  keep "$FOLDER/secret.env" <<E
AWS_ACCESS_KEY_ID=$(openssl rand -hex 10)
AWS_SECRET_ACCESS_KEY=$(openssl rand -hex 20)
AWS_REGION=us-east-1
AWS_ENDPOINT_URL=http://$NODE_IP:$HTTP
E
}
value() { sed -n "s/^$1=//p" "$FOLDER/secret.env"; }

# With an identity configured every other key, and none, is refused.
prepare() {
  mkdir -p "$FOLDER/data"
  secret
  keep "$FOLDER/identities.json" <<J
{"identities": [{"name": "underwriter", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$(value AWS_ACCESS_KEY_ID)", "secretKey": "$(value AWS_SECRET_ACCESS_KEY)"}]}]}
J
  server_certificate s3
}

# Master, volumes and filer ask for no credentials, so they stay on the loopback.
# A missing bucket stays missing, as in S3, and a bucket takes one volume at first, not seven.
launch() {
  export WEED_MASTER_VOLUME_GROWTH_COPY_1=1
  daemon s3 "$TOOLS/bin/weed" -logtostderr=true server -dir="$FOLDER/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.port=9333 -master.electionTimeout=1s -master.telemetry=false -master.volumeSizeLimitMB=1024 \
    -volume.port=9340 -volume.max=200 -volume.preStopSeconds=0 \
    -filer -filer.port=9336 -filer.localSocket="$FOLDER/filer.sock" \
    -s3 -s3.ip.bind=$NODE_IP -s3.port=$HTTP -s3.localSocket="$FOLDER/s3.sock" -s3.config="$FOLDER/identities.json" \
    -s3.port.https=$HTTPS -s3.cert.file="$PKI/s3.crt" -s3.key.file="$PKI/s3.key" \
    -s3.port.iceberg=0 -s3.port.lance=0 -s3.autoCreateBucket=false
}

request() { # request BUCKET CURL-ARGUMENTS...: the credentials stay out of the process list
  local bucket=$1; shift
  curl -sf -o /dev/null -m 5 --aws-sigv4 "aws:amz:$(value AWS_REGION):s3" \
    -K <(echo "user = $(value AWS_ACCESS_KEY_ID):$(value AWS_SECRET_ACCESS_KEY)") "$@" "http://$NODE_IP:$HTTP/$bucket"
}
volumes() { curl -sf -m 5 http://127.0.0.1:9333/dir/assign | grep -q fid; }   # they come a little after the rest
bucket() { request "$1" -I || request "$1" -X PUT; }
ready() { request loans -I && request artifacts -I; }

start() {
  [ -e /sys/class/net/$BRIDGE ] || die "no bridge to listen on; run up.sh first"
  if ! pid_of s3 >/dev/null; then require_free $HTTP $HTTPS 18333 9333 19333 9336 19336 9340 19340; prepare; launch; fi
  wait_for 60 volumes || die "see $LOG/s3.log"
  for name in loans artifacts; do wait_for 30 bucket $name || die "see $LOG/s3.log"; done
}

# A kill loses no object, each has reached the kernel before it is answered; a polite end takes 15 s.
service s3 KILL "http://$NODE_IP:$HTTP https://$NODE_IP:$HTTPS, $FOLDER/secret.env" "$@"
