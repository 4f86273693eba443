#!/bin/bash
# Starts a node of a Qdrant cluster.
#
# A node that is new must join the cluster through a node that is in it, and only one node may begin a
# cluster. Which is which cannot be read off the ordinal alone: node 0 with an empty volume is the first
# node of a new cluster on the day of installation, and any later day it is a node that lost its volume,
# which would begin a second cluster under the same names. A node listens on its p2p port only after it has
# joined (qdrant/qdrant, src/consensus.rs), so an open p2p port tells the two apart. That nobody answers says
# nothing, because the network of a pod may come late: node 0 begins a cluster only after every other node has
# refused the connection for a while, which a pod does that is there and waits as well.
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
#   QDRANT_FIRST_WAIT    seconds for which every other node must have refused before node 0 begins a cluster
set -u

name="${POD_NAME%-*}"
ordinal="${POD_NAME##*-}"

peer_host() {
  echo "${name}-$1.${QDRANT_PEER_DOMAIN}"
}

peer_uri() {
  echo "${QDRANT_P2P_SCHEME}://$(peer_host "$1"):${QDRANT_P2P_PORT}"
}

# Prints what came of a connection: nothing when the node is in the cluster, otherwise the error.
try() {
  LC_ALL=C timeout 2 bash -c "exec 3<>/dev/tcp/$(peer_host "$1")/${QDRANT_P2P_PORT}" 2>&1 || echo "failed"
}

# Prints the uri of a node that is in the cluster; fails when none answers.
find_member() {
  for ((other = 0; other < QDRANT_NODES; other++)); do
    if [ "${other}" != "${ordinal}" ] && [ -z "$(try "${other}")" ]; then
      peer_uri "${other}"
      return 0
    fi
  done
  return 1
}

# Whether every other node is there, and in no cluster.
all_refuse() {
  for ((other = 0; other < QDRANT_NODES; other++)); do
    if [ "${other}" != "${ordinal}" ] && [[ "$(try "${other}")" != *"Connection refused"* ]]; then
      return 1
    fi
  done
}

# Qdrant writes its state before it joins; a term above 0 says that it has been in a cluster
# (qdrant/qdrant, is_new_deployment).
has_joined() {
  grep -Eqs '"term": *[1-9]' "${QDRANT_STORAGE}/raft_state.json"
}

start() {
  # Qdrant keeps many files open; the soft limit of the runtime is often 1024.
  ulimit -n "$(ulimit -Hn)"
  exec ./entrypoint.sh --uri "$(peer_uri "${ordinal}")" "$@"
}

# A shell that is process 1 ignores SIGTERM unless it says otherwise.
trap 'exit 143' TERM INT

refused_since="${SECONDS}"
until member="$(find_member)"; do
  if has_joined; then
    echo "no other node answers; starting with the data of this node"
    start
  fi
  if [ "${ordinal}" != 0 ] || ! all_refuse; then
    refused_since="${SECONDS}"
  elif [ "$((SECONDS - refused_since))" -ge "${QDRANT_FIRST_WAIT}" ]; then
    echo "every other node has refused for ${QDRANT_FIRST_WAIT} s; starting as the first node"
    start
  fi
  echo "in no cluster yet, and no node to join; looking again"
  sleep 2 &
  wait $!
done

echo "joining the cluster through ${member}"
start --bootstrap "${member}"
