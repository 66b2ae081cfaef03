#!/bin/bash
# What goes on by itself from now on: copies of state and secrets, and a look for machines that are gone, at a server; a look
# for the server at an agent.
set -euo pipefail
case $ROLE in
  server) timers=(underwriter-snapshot.timer underwriter-secrets.timer underwriter-nodes.timer) ;;
  agent) timers=(underwriter-join.timer) ;;
esac
systemctl start "${timers[@]}"
