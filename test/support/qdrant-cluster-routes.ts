import type { Json } from '../../constructs/rules/output';
import { Refusal } from './qdrant-refusal';
import type { QdrantNode, Route } from './qdrant-routes';
import type { StoredCollection } from './stored-collection';

/** Membership, and where the shards are. */
export function clusterRoutes(node: QdrantNode): Route[] {
  const { state } = node;
  return [
    ['GET', /^\/cluster$/, () => statusOf(node)],
    [
      'DELETE',
      /^\/cluster\/peer\/(\d+)$/,
      ({ query }, peer) => {
        checkClustered(node);
        return state.agree(() => state.remove(Number(peer), query.get('force') === 'true'));
      },
    ],
    [
      'GET',
      /^\/collections\/([^/]+)\/cluster$/,
      (_, name) => {
        const collection = state.collection(name as string);
        collection.copies.look();
        return layoutOf(node, collection);
      },
    ],
    [
      'POST',
      /^\/collections\/([^/]+)\/cluster$/,
      ({ body }, name) => {
        checkClustered(node);
        const collection = state.collection(name as string);
        return state.agree(() => changeShards(collection, body));
      },
    ],
  ];
}

/** Whether a node was in a cluster and was taken out; it goes on without knowing of that. */
export function isRemoved({ state, peer, clustered }: QdrantNode): boolean {
  return clustered && !state.peers.has(peer);
}

function checkClustered({ clustered }: QdrantNode): void {
  if (!clustered) {
    throw new Refusal(405, 'Qdrant is running in standalone mode');
  }
}

/** As qdrant/qdrant, lib/storage/src/types.rs, ClusterStatus. */
function statusOf(node: QdrantNode): Json {
  const { state, peer, uri: own, clustered } = node;
  if (!clustered) {
    return { status: 'disabled' };
  }
  const removed = isRemoved(node);
  // A member that is taken out forgets the others.
  const known = removed ? new Map([[peer, `${own}/`]]) : state.peers;
  return {
    status: 'enabled',
    peer_id: peer,
    peers: Object.fromEntries([...known].map(([member, uri]) => [String(member), { uri }])),
    raft_info: { term: 1, commit: 1, pending_operations: 0, leader: state.leader ?? null, role: null, is_voter: true },
    consensus_thread_status: removed
      ? { consensus_thread_status: 'stopped' }
      : { consensus_thread_status: 'working', last_update: new Date().toISOString() },
    message_send_failures: {},
  };
}

function layoutOf({ peer }: QdrantNode, collection: StoredCollection): Json {
  const { copies, transfers } = collection;
  const settling = collection.settling > 0;
  collection.settling -= 1;
  const known = copies.list().filter(({ peer: holder, copy }) => holder !== peer || copy.phantom !== true);
  const replicas = known.map(({ shard, peer: holder, copy }) => {
    const state = settling && copy.state === 'Active' ? 'Partial' : copy.state;
    return { shard_id: shard, peer_id: holder, state, points_count: copy.points };
  });
  return {
    peer_id: peer,
    shard_count: copies.shards.size,
    local_shards: replicas.filter(({ peer_id }) => peer_id === peer).map(({ peer_id: _, ...replica }) => replica),
    remote_shards: replicas.filter(({ peer_id }) => peer_id !== peer).map(({ points_count: _, ...replica }) => replica),
    shard_transfers: transfers.map(({ shard, from, to, sync = false }) => ({ shard_id: shard, from, to, sync })),
  };
}

function changeShards({ copies }: StoredCollection, body: Json): boolean {
  const { move_shard: moved, replicate_shard: copied, drop_replica: dropped } = body;
  copies.settleProposals();
  if (dropped !== undefined) {
    copies.drop(dropped.shard_id, dropped.peer_id);
  } else {
    const { shard_id: shard, from_peer_id: from, to_peer_id: to } = moved ?? copied;
    copies.start({ shard, from, to, sync: moved === undefined });
  }
  return true;
}
