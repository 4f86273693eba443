#!/bin/sh
# Runs Qdrant until the program beside it has written the file REHEARSAL_DONE: a Job is done only when every
# container of its pod has ended.
#
# As a cluster of one: a Qdrant in no cluster refuses a snapshot that lacks shards, as those of a cluster do
# (qdrant/qdrant 1.19, shards/replica_set/snapshots.rs).
set -eu

./qdrant --uri "${REHEARSAL_PEER_URI}" &
qdrant=$!
# A shell that is process 1 ignores SIGTERM unless it says otherwise.
trap 'kill "${qdrant}"; exit 143' TERM INT

until [ -e "${REHEARSAL_DONE}" ]; do
  if ! kill -0 "${qdrant}" 2>/dev/null; then
    echo "Qdrant ended before the rehearsal did"
    exit 1
  fi
  sleep 1
done

kill "${qdrant}"
wait "${qdrant}" || true
