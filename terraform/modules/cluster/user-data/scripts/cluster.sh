#!/bin/bash
# What has to stand in the cluster before anything else: namespaces, the door to predictions, MLflow where it is wanted,
# and the certificate authorities that pods trust.
set -euo pipefail
apply=(kubectl apply --server-side --force-conflicts --field-manager=underwriter-boot)
"${apply[@]}" --filename=/opt/underwriter/manifests/
for namespace in $NAMESPACES; do
  kubectl create configmap underwriter-ca --namespace "$namespace" --from-file=ca.crt=/etc/underwriter/ca.crt \
    --dry-run=client --output=json | "${apply[@]}" --filename=-
done
