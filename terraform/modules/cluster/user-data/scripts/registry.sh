#!/bin/bash
# Lets kubelet and helm ask for the registry's password whenever they need it: ECR's live for twelve hours, and none is
# ever stored. Both run ecr_login.py, each by the protocol and under the name that it knows.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/credential-provider" /usr/local/bin
ln -sf ../ecr_login.py "$here/credential-provider/ecr-login"
ln -sf "$here/ecr_login.py" /usr/local/bin/docker-credential-underwriter-ecr

cat >/etc/underwriter/credential-provider.json <<J
{"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [{
  "name": "ecr-login", "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
  "matchImages": ["$REGISTRY_HOST"], "defaultCacheDuration": "6h",
  "env": [{"name": "AWS_REGION", "value": "$AWS_REGION"}, {"name": "AWS_DEFAULT_REGION", "value": "$AWS_REGION"}]}]}
J
echo "{\"credHelpers\": {\"$REGISTRY_HOST\": \"underwriter-ecr\"}}" >/etc/underwriter/helm-registry.json
