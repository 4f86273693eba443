#!/bin/bash
# Starts a node of a Qdrant cluster.
#
# A node that is new must join the cluster through a node that is in it, and only one node may begin a
# cluster. Which is which cannot be read off the ordinal alone: node 0 with an empty volume is the first
# node of a new cluster on the day of installation, and any later day it is a node that lost its volume,
# which would begin a second cluster under the same names. A node listens on its p2p port only after it has
# joined (qdrant/qdrant, src/consensus.rs), so an open p2p port tells the two apart.
#
# Qdrant ignores --bootstrap on a node that is in a cluster already, so it is safe to pass always.
#
# Environment, set by the StatefulSet:
#   POD_NAME             <name>-<ordinal>
#   QDRANT_NODES         number of nodes
#   QDRANT_PEER_DOMAIN   domain of the headless Service
#   QDRANT_P2P_PORT      port of the nodes' own protocol
#   QDRANT_P2P_SCHEME    http or https
#   QDRANT_STORAGE       directory of the data
#   QDRANT_FIRST_WAIT    seconds that node 0 without data looks for a cluster before it begins one
set -u

name="${POD_NAME%-*}"
ordinal="${POD_NAME##*-}"

peer_host() {
  echo "${name}-$1.${QDRANT_PEER_DOMAIN}"
}

peer_uri() {
  echo "${QDRANT_P2P_SCHEME}://$(peer_host "$1"):${QDRANT_P2P_PORT}"
}

is_member() {
  timeout 2 bash -c "exec 3<>/dev/tcp/$(peer_host "$1")/${QDRANT_P2P_PORT}" 2>/dev/null
}

# Prints the uri of a node that is in the cluster; fails when none answers.
find_member() {
  for ((other = 0; other < QDRANT_NODES; other++)); do
    if [ "${other}" != "${ordinal}" ] && is_member "${other}"; then
      peer_uri "${other}"
      return 0
    fi
  done
  return 1
}

has_data() {
  [ -e "${QDRANT_STORAGE}/raft_state.json" ]
}

start() {
  # Qdrant keeps many files open; the soft limit of the runtime is often 1024.
  ulimit -n "$(ulimit -Hn)"
  exec ./entrypoint.sh --uri "$(peer_uri "${ordinal}")" "$@"
}

# A shell that is process 1 ignores SIGTERM unless it says otherwise.
trap 'exit 143' TERM INT

until member="$(find_member)"; do
  if has_data; then
    echo "no other node answers; starting with the data of this node"
    start
  fi
  if [ "${ordinal}" = 0 ] && [ "${SECONDS}" -ge "${QDRANT_FIRST_WAIT}" ]; then
    echo "no other node answered for ${SECONDS} s and there is no data; starting as the first node"
    start
  fi
  echo "no data and no node to join; looking again"
  sleep 2 &
  wait $!
done

echo "joining the cluster through ${member}"
start --bootstrap "${member}"
