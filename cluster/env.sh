# shellcheck shell=bash
# Places, addresses and the functions that the scripts share. Nothing is written outside of $ROOT
# but the bridge, firewall rules, cgroups and empty mount points, so a clone in any folder finds the same cluster.
# shellcheck disable=SC2034  # the names are used by the scripts that source this file
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$HOME/.cache/underwriter
BIN=$ROOT/bin
IMAGES=$ROOT/images
LOG=$ROOT/log
RUN=$ROOT/run                   # the pids of what runs beside each other: node, postgres, s3
STATE=$ROOT/cluster
TOOLS=$ROOT/tools-venv
POSTGRES_MOUNT=/var/lib/underwriter  # where the postgres user, who cannot see root's home, finds $ROOT/postgres
HOST_BEFORE=$RUN/host.before     # what down.sh restores; exists while this machine carries our traces
# The fixed places that kubelet, containerd and CNI write to; inside the node they lead into $STATE.
MOUNTS=(/var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers /run/containerd /run/netns)

BRIDGE=uw0                      # the pods' bridge; its address is the node's address
NODE_IP=10.42.0.1               # and where pods reach a server on the host
POD_NET=10.42.0.0/16
SVC_NET=10.43.0.0/16
API_SVC=10.43.0.1
DNS_SVC=10.43.0.10
SOCK=$STATE/run/containerd.sock # a socket path has at most 107 bytes

export KUBECONFIG=$STATE/admin.conf PATH=$BIN:$PATH

die() { echo "$(basename "$0"): $*" >&2; exit 1; }
ctr() { command ctr -a "$SOCK" -n k8s.io "$@"; }

# One change at a time on this machine. A script called by the lock's holder inherits descriptor 9.
lock() {
  [ "$(id -u)" = 0 ] || die "needs root"
  mkdir -p "$ROOT" "$BIN" "$IMAGES" "$LOG" "$RUN"
  [ ! /dev/fd/9 -ef "$ROOT/lock" ] || return 0
  exec 9>>"$ROOT/lock"
  flock -n 9 || { echo "waiting for another run (lock: $ROOT/lock)" >&2; flock 9; }
}

# daemon NAME COMMAND...: starts it in a session of its own. It notes its pid itself before anything else,
# so that no interruption of the caller leaves it running unknown. It must not hold the lock.
daemon() {
  local name=$1; shift
  # shellcheck disable=SC2016  # expanded by the inner shell
  setsid sh -c 'echo $$ >"$0"; exec "$@"' "$RUN/$name.pid" "$@" 9>&- </dev/null >>"$LOG/$name.log" 2>&1 &
}

# pid_of NAME: prints the pid of a daemon that still runs. A pid may have been given to another process since,
# so its command line must name a path that only that daemon has.
pid_of() {
  local pid mark
  case $1 in node) mark=$STATE ;; postgres) mark=$POSTGRES_MOUNT ;; s3) mark=$ROOT/s3 ;; esac
  pid=$(cat "$RUN/$1.pid" 2>/dev/null) && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$mark" && echo "$pid"
}

# stop NAME SIGNAL: ends a daemon and waits until it is gone.
stop() {
  local pid
  if pid=$(pid_of "$1"); then
    kill "-$2" "$pid"
    wait_for 30 gone "$pid" || kill -KILL "$pid"
  fi
  rm -f "$RUN/$1.pid"
}
gone() { ! kill -0 "$1"; }

# service NAME SIGNAL ADDRESS start|stop|status: what the servers' scripts share; they define start and ready.
service() {
  case ${4:-} in
    start) lock; start ;;
    stop) lock; stop "$1" "$2" ;;
    status) ;;
    *) die "usage: $1.sh start|stop|status" ;;
  esac
  if pid_of "$1" >/dev/null && ready >/dev/null 2>&1; then echo "$1: $3"; return; fi
  echo "$1: stopped"
  [ "$4" = stop ] || exit 3
}

# wait_for SECONDS COMMAND...
wait_for() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "not within the time: $*" >&2; return 1; }
    sleep 0.2
  done
}

# require_free PORT...: refuses where another server listens on one of them.
require_free() {
  local busy; busy=$(ss -ltnpH "$(printf 'or sport = :%s ' "$@" | cut -c4-)")
  [ -z "$busy" ] || die "these ports must be free; stop what listens there (another Kubernetes or server?):
$busy"
}

# keep FILE: writes its input to a file that only root reads, unless there is one.
keep() {
  [ -s "$1" ] && return
  (umask 077; cat >"$1.new"; mv "$1.new" "$1")
}

# An archive NAME-DIGEST.tar in $IMAGES holds the image localhost/underwriter-NAME:DIGEST, one for each name.
image_ref() { # image_ref NAME
  local tar; tar=$(basename "$IMAGES/$1"-*.tar .tar)
  echo "localhost/underwriter-$1:${tar##*-}"
}
import_image() { # import_image NAME: unless the cluster has it
  ctr image ls -q "name==$(image_ref "$1")" | grep -q . || ctr image import "$IMAGES/$1"-*.tar >/dev/null
}
