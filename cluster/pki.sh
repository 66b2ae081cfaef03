# shellcheck shell=bash
# The private authority of the cluster and of the servers beside it: $PKI/ca.crt.
PKI=$STATE/pki

authority() {
  mkdir -p "$PKI"; chmod 700 "$STATE"
  [ -s "$PKI/ca.crt" ] || new_key -x509 -days 3650 -subj "/CN=underwriter local authority" -keyout "$PKI/ca.key" -out "$PKI/ca.crt"
}

new_key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }

# certificate NAME SUBJECT [SAN...]: for clients and servers, $PKI/NAME.crt and .key.
certificate() {
  local name=$PKI/$1 subject=$2; shift 2
  [ -s "$name.crt" ] && return
  new_key -subj "$subject" -keyout "$name.key" -out "$name.csr"
  { echo "basicConstraints=CA:FALSE"; echo "extendedKeyUsage=clientAuth,serverAuth"
    [ $# -eq 0 ] || (IFS=,; echo "subjectAltName=$*"); } >"$name.ext"
  openssl x509 -req -in "$name.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 \
    -extfile "$name.ext" -out "$name.crt" 2>/dev/null
  rm "$name.csr" "$name.ext"
}

# server_certificate NAME: for a server beside the cluster.
server_certificate() {
  authority
  certificate "$1" "/CN=$1" "IP:$NODE_IP" IP:127.0.0.1 DNS:localhost
}

# kubeconfig NAME FILE: for the client certificate of that name.
kubeconfig() {
  (umask 077; cat >"$2") <<Y
apiVersion: v1
kind: Config
current-context: underwriter
contexts: [{name: underwriter, context: {cluster: underwriter, user: $1}}]
clusters:
- name: underwriter
  cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")}
Y
}
