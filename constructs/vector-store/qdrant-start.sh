#!/bin/bash
# Starts a node of a Qdrant cluster with the arguments that find-cluster.mjs wrote, and stops it for good once the
# cluster has removed it.
#
# A removed node keeps answering /readyz with 200 and every request with 500 (qdrant/qdrant 1.19, src/common/health.rs:
# readiness is never taken back), so it would stay in the Service until its pod is gone. Qdrant writes its membership to
# raft_state.json: `conf_state` loses the node's own id when the removal is applied (consensus_manager.rs,
# apply_conf_change_entry). A node that joins is not in `conf_state` either, so a file on the volume remembers that this
# one was a member.
#
# Environment, set by the StatefulSet:
#   QDRANT_START_FILE   file with the arguments, one on each line
#   QDRANT_STORAGE      directory of the data
set -u

state_file="${QDRANT_STORAGE}/raft_state.json"
member_file="${QDRANT_STORAGE}/cdk8s-rag-member"

# Succeeds when the node is a voter or a learner of its cluster.
is_member() {
  local state id voters learners
  [ -r "${state_file}" ] || return 1
  state="$(tr -d '[:space:]' <"${state_file}")" || return 1
  [[ "${state}" =~ \"this_peer_id\":([0-9]+) ]] || return 1
  id="${BASH_REMATCH[1]}"
  [[ "${state}" =~ \"voters\":\[([0-9,]*)\] ]] || return 1
  voters="${BASH_REMATCH[1]}"
  [[ "${state}" =~ \"learners\":\[([0-9,]*)\] ]] || return 1
  learners="${BASH_REMATCH[1]}"
  [[ ",${voters},${learners}," == *",${id},"* ]]
}

# Succeeds when the node was a member and is none any more. A state that cannot be read says nothing.
is_removed() {
  [ -e "${member_file}" ] && grep -qs '"this_peer_id"' "${state_file}" && ! is_member
}

# Remembers the membership, and ends Qdrant when it is over. Nothing is left to be written then: the node has no shard.
watch_membership() {
  trap - TERM INT
  until is_removed; do
    kill -0 "$1" 2>/dev/null || exit
    if [ ! -e "${member_file}" ] && is_member; then
      : >"${member_file}"
    fi
    sleep 2
  done
  echo "the cluster has removed this node; stopping, so that the Service leaves it out"
  kill -QUIT "$1"
}

# A shell that is process 1 ignores SIGTERM unless it says otherwise.
trap 'exit 143' TERM INT

while is_removed; do
  echo "this node was removed from the cluster; lower the number of nodes, or delete its claim and its pod to have it join anew"
  sleep 10 &
  wait $!
done

mapfile -t arguments <"${QDRANT_START_FILE}"
# Qdrant keeps many files open; the soft limit of the runtime is often 1024.
ulimit -n "$(ulimit -Hn)"
watch_membership $$ &
# In place of the image's entrypoint, which ends before Qdrant does when it is told to stop.
exec ./qdrant "${arguments[@]}"
