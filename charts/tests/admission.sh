#!/bin/bash
# What the chart promises on a real cluster, with the operator installed: who may write what into a version's audit
# record, and how little the operator may do. Asks as others by impersonation; works in a namespace of its own.
# usage: admission.sh [NAMESPACE OF THE OPERATOR]
set -uo pipefail
SPACE=admission-test passed=0 failed=0
SYSTEM=${1:-underwriter-system} OPERATOR=system:serviceaccount:${1:-underwriter-system}:underwriter
as() { local user=$1; shift; kubectl -n $SPACE --as "$user" "$@"; }

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}

decision() { printf '{"decision": "%s", "by": "%s", "reason": "test", "at": "2026-01-0%sT00:00:00Z"}' "$1" "$2" "${3:-1}"; }

create() { # create USER NAME [DECISION]
  local digest; digest=sha256:$(printf %064d 0)
  as "$1" create -f - <<J
{"apiVersion": "underwriter.dev/v1alpha1", "kind": "ModelVersion", "metadata": {"name": "$2"}, "spec": {
  "modelRef": {"name": "loans"}, "version": 1, "runId": "0123456789abcdef", "configDigest": "$digest",
  "trigger": {"type": "Initial"}, "artifact": {"uri": "s3://artifacts/loans/v1/", "digest": "$digest"},
  "data": {"uri": "s3://loans/", "digest": "$digest", "rows": 1}, "algorithm": "Scorecard", "metrics": [],
  "threshold": 0.5, "decisions": [${3:-}]}}
J
}
decide() { # decide USER DECISIONS: what the list becomes
  as "$1" patch modelversion v1 --type merge -p "{\"spec\": {\"decisions\": [$2]}}"
}
may() { echo "answer: $(as "$OPERATOR" auth can-i "$@" --all-namespaces 2>/dev/null)."; }

roles() {
  local user
  kubectl create clusterrole admission-test --verb restore --resource modelversions.underwriter.dev
  kubectl -n $SPACE create rolebinding approvers --clusterrole "underwriter-$SYSTEM-approver" --user ann --user bob
  kubectl -n $SPACE create rolebinding restorers --clusterrole admission-test --user ann
  kubectl -n $SPACE create role creator --verb create --resource modelversions.underwriter.dev
  for user in ann bob; do kubectl -n $SPACE create rolebinding "creator-$user" --role creator --user $user; done
}
clean() { kubectl delete --ignore-not-found namespace/$SPACE clusterrole/admission-test; }

clean >/dev/null
trap 'clean >/dev/null' EXIT
kubectl create namespace $SPACE >/dev/null
roles >/dev/null 2>&1 || { echo "cannot make the roles of the test"; exit 1; }
approved=$(decision Approved bob) promoted=$(decision Promoted underwriter 2) denied=$(decision Denied bob 3)

check "a person creates no version" "only the operator, or who may" create bob v1
check "the operator creates one" created create "$OPERATOR" v1
check "who may restore does, with its record" created create ann restored "$approved, $promoted"
check "the operator creates none that is approved already" "decided by people" create "$OPERATOR" forged "$approved"
check "nobody decides in another's name" "must be bob" decide bob "$(decision Approved ann)"
check "a person promotes nothing" "one of Approved, Denied and Revoked" decide bob "$(decision Promoted bob)"
check "a person appends one decision at a time" "one decision at a time" decide bob "$approved, $denied"
check "the operator approves nothing" "decided by people" decide "$OPERATOR" "$(decision Approved underwriter)"
check "a person approves" patched decide bob "$approved"
check "the operator promotes" patched decide "$OPERATOR" "$approved, $promoted"
check "no decision is taken back" "append to them" decide bob "$approved"
check "no decision is changed" "append to them" decide bob "$denied, $promoted"
check "no decision is put before others" "append to their end" decide bob "$denied, $approved, $promoted"
check "the order stays, for the operator too" "append to their end" decide "$OPERATOR" "$promoted, $approved"
check "nothing is written twice" "append to their end" decide bob "$approved, $promoted, $promoted"
check "who may restore decides in their own name only" "must be ann" decide ann "$approved, $promoted, $denied"
check "a person denies later" patched decide bob "$approved, $promoted, $denied"
check "labels are free" labeled as bob label modelversion v1 reviewed=yes
check "the operator removes no version that decides" "never one that decides" as "$OPERATOR" delete modelversion restored
check "the operator removes an old one" deleted as "$OPERATOR" delete modelversion v1
check "who may do anything removes what decides" deleted kubectl -n $SPACE delete modelversion restored

check "the operator reads no Secret" "answer: no." may get secrets
check "the operator runs nothing in a pod" "answer: no." may create pods/exec
check "the operator edits no spec that a person wrote" "answer: no." may patch loanmodels.underwriter.dev
check "the operator gives no rights" "answer: no." may create rolebindings.rbac.authorization.k8s.io
check "the operator writes status" "answer: yes." may patch loanmodels.underwriter.dev --subresource status
echo "$passed passed, $failed failed"
[ $failed = 0 ]
