#!/bin/bash
# install.sh: the operator from this checkout's chart and built binaries, and an empty namespace `lending` for models,
# with the Secrets and the certificate authority that its pods are given. The cluster must be up.
# What an earlier run left in that namespace and in the prediction log is removed: each run begins anew.
set -euo pipefail
. "$(dirname "$0")/env.sh"
BUILT=${CARGO_TARGET_DIR:-$ROOT/target}/x86_64-unknown-linux-gnu/release
SYSTEM=underwriter-system MODELS=lending

restricted_namespace() {
  kubectl get namespace "$1" 2>/dev/null || kubectl create namespace "$1"
  kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted --overwrite
}

image_values() { # of all images, as helm's arguments
  local name ref
  for name in operator predictor tasks; do
    ref=$("$HERE/image.sh" $name "$BUILT/underwriter-$name")
    echo "--set=images.$name.repository=${ref%:*},images.$name.tag=${ref##*:}"
  done
}

operator() {
  local images; mapfile -t images < <(image_values)
  [ ${#images[@]} = 3 ] || die "the images could not be made; are the binaries in $BUILT?"
  restricted_namespace $SYSTEM
  # An interrupted helm leaves its release locked.
  [ -z "$(helm list --namespace $SYSTEM --pending --short)" ] || helm uninstall underwriter --namespace $SYSTEM --wait
  helm upgrade --install underwriter "$HERE/../charts/underwriter" --namespace $SYSTEM \
    --take-ownership --wait --timeout 2m "${images[@]}" \
    --set artifacts.uri=s3://artifacts/,artifacts.secretName=underwriter-artifacts,data.secretName=underwriter-data \
    --set predictionLog.secretName=underwriter-log,caConfigMap=underwriter-ca \
    --set "networkPolicy.workloadNamespaces={$MODELS}"
}

# As over any network that is not one's own: by TLS, verified against the authority in the ConfigMap.
secrets() {
  local s3=$ROOT/s3/secret.env postgres=$ROOT/postgres/secret.env make="kubectl -n $MODELS create" name
  for name in artifacts data; do
    $make secret generic underwriter-$name --from-env-file=<(sed "s|http://$NODE_IP:8333|https://$NODE_IP:8334|" "$s3")
  done
  $make secret generic underwriter-log \
    --from-env-file=<(sed -n '/^DATABASE_URL=/s/sslmode=require/sslmode=verify-full/p' "$postgres")
  $make configmap underwriter-ca --from-file=ca.crt="$STATE/pki/ca.crt"
}

empty_log() (
  set -a
  # shellcheck source=/dev/null
  . "$ROOT/postgres/secret.env"
  psql -qc "set client_min_messages = warning; drop schema public cascade; create schema public"
)

models() {
  kubectl delete namespace $MODELS --ignore-not-found --timeout=2m
  empty_log
  restricted_namespace $MODELS
  secrets
}

{ models; operator; } >/dev/null
echo "operator in $SYSTEM, namespace $MODELS ready for models, in $SECONDS s"
