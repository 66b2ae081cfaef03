#!/bin/bash
# Shows on the running cluster that names, Jobs, pod security, volumes from objects, the database and S3 are real.
set -uo pipefail
. "$(dirname "$0")/env.sh"
SPACE=smoke passed=0 failed=0
k() { kubectl -n $SPACE "$@"; }

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}

objects() {
  sed "s|IMAGE|$image|" <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: IMAGE
        args: [httpd, -f, -p, "8080", -h, /www]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: www, mountPath: /www}]
      volumes: [{name: www, configMap: {name: www}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: www}
data: {index.html: hello}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: job
        image: IMAGE
        args: [sh, -c, 'echo working; printf "{\"rows\":42}" > /dev/termination-log']
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
Y
}

in_pod() { timeout 10 kubectl -n $SPACE exec deploy/web -- /busybox "$@"; }
sql() { psql -tAc "$1"; }
s3() { # s3 KEY:SECRET BUCKET-ADDRESS: the answer's status
  curl -s -o /dev/null -w '%{http_code}' -m 5 --cacert "$STATE/pki/ca.crt" --aws-sigv4 aws:amz:us-east-1:s3 -u "$1" "$2?list-type=2"
}

image=$("$HERE/image.sh" busybox /bin/busybox) || die "no image"
# one that an earlier run is still being cleared of is waited for
kubectl delete namespace $SPACE --ignore-not-found --timeout=120s >/dev/null
kubectl create namespace $SPACE >/dev/null
trap 'kubectl delete namespace $SPACE --wait=false >/dev/null' EXIT
kubectl label namespace $SPACE pod-security.kubernetes.io/enforce=restricted >/dev/null
wait_for 30 k get serviceaccount default
objects | k apply -f - >/dev/null
check "restricted Deployment becomes ready" "successfully rolled out" k rollout status deploy/web --timeout=60s
check "Job completes" "condition met" k wait --for=condition=complete job/job --timeout=60s
check "its termination message is kept" '{"rows":42}' \
  k get pod -l job-name=job -o jsonpath='{.items[0].status.containerStatuses[0].state.terminated.message}'
check "a pod outside of the restricted profile is refused" 'violates PodSecurity "restricted' \
  k run root --image "$image" --dry-run=server
check "admission policies are served" validatingadmissionpolicies kubectl api-resources
check "pod to Service by name" hello in_pod wget -qO- http://web/index.html
check "pod to Service by full name" hello in_pod wget -qO- http://web.$SPACE.svc.cluster.local/index.html
port=$(k get service web -o jsonpath='{.spec.ports[0].nodePort}')
check "host to NodePort on 127.0.0.1" hello curl -sm 5 "http://127.0.0.1:$port/index.html"
check "root folder is read-only" "Read-only" in_pod touch /x
check "its log is kept" working k logs job/job

set -a
# shellcheck source=/dev/null
. "$ROOT/postgres/secret.env"
# shellcheck source=/dev/null
. "$ROOT/s3/secret.env"
set +a
check "pod to PostgreSQL" open in_pod sh -c "nc -w 3 $PGHOST $PGPORT </dev/null && echo open"
check "password over verified TLS" "underwriter|t" env PGSSLMODE=verify-full PGSSLROOTCERT="$STATE/pki/ca.crt" psql -tAc \
  "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()"
check "a wrong password is refused" "authentication failed" env PGPASSWORD=wrong psql -c "select 1"
check "the role is no superuser but makes databases" "f|t" sql "select rolsuper, rolcreatedb from pg_roles where rolname = current_user"
check "data is durable" on sql "show fsync"
keys=$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY
check "pod to S3, without credentials" "403 Forbidden" in_pod wget -qO- "$AWS_ENDPOINT_URL/loans"
check "S3 with the platform's keys" 200 s3 "$keys" "$AWS_ENDPOINT_URL/loans"
check "S3 over verified TLS" 200 s3 "$keys" "https://$NODE_IP:8334/artifacts"
check "S3 with a wrong secret" 403 s3 "$AWS_ACCESS_KEY_ID:wrong" "$AWS_ENDPOINT_URL/loans"
check "S3 with an unknown key" 403 s3 "wrong:wrong" "$AWS_ENDPOINT_URL/loans"
check "a missing bucket" 404 s3 "$keys" "$AWS_ENDPOINT_URL/missing"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
