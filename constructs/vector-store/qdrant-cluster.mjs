// What the programs beside it know of the cluster: its nodes, and which of them are members.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { QdrantClient } from './qdrant-client.mjs';

/** The nodes of the variable QDRANT_NODE_URLS, in the order of their ordinals. */
export function nodesFromEnvironment() {
  const urls = (process.env.QDRANT_NODE_URLS ?? '').split(',').filter((url) => url !== '');
  if (urls.length === 0) {
    throw new Error('QDRANT_NODE_URLS is missing');
  }
  return urls.map((url, ordinal) => ({
    ordinal,
    name: `node ${ordinal}`,
    host: new URL(url).hostname,
    client: QdrantClient.fromEnvironment({ url }),
  }));
}

/** Addresses of the members of the cluster that a node is in, by peer. */
export async function membersOf(client) {
  const { status, peers, raft_info: raft, consensus_thread_status: thread } = await client.get('/cluster');
  if (status !== 'enabled') {
    throw new Error('is in no cluster');
  }
  if (thread.consensus_thread_status === 'stopped') {
    throw new Error('was removed from its cluster');
  }
  if (!raft.leader) {
    throw new Error('is in a cluster without a leader; most of its nodes are away');
  }
  return new Map(Object.entries(peers).map(([peer, { uri }]) => [Number(peer), uri]));
}

/** The peer of a node among the members, by its host name; undefined when it is none of them. */
export function peerOf(node, members) {
  const [peer] = [...members].find(([, uri]) => new URL(uri).hostname === node.host) ?? [];
  return peer;
}

/** A node that answers and is a member: the view of the whole cluster is asked of it. */
export async function memberAmong(nodes) {
  const until = Date.now() + nodes[0].client.patience;
  for (;;) {
    const problems = [];
    for (const node of nodes) {
      try {
        await membersOf(node.client.impatient());
        return node;
      } catch (error) {
        problems.push(`${node.name}: ${error.message}`);
      }
    }
    if (Date.now() > until) {
      throw new Error(`no node can be asked about the cluster\n${problems.join('\n')}`);
    }
    await sleep(1000);
  }
}

/** What a node with a new volume answers on its p2p port while it waits for a cluster. */
export const NEW_VOLUME = 'this node has a new volume';

/** Whether a node says so, at its address for peers. It speaks plain HTTP, also where Qdrant itself speaks TLS. */
export function isNew(uri) {
  const { hostname, port } = new URL(uri);
  return new Promise((resolve) => {
    const asked = request({ hostname, port, timeout: 5000, agent: false }, async (response) => {
      const text = await response.toArray().then(
        (chunks) => Buffer.concat(chunks).toString(),
        () => '',
      );
      resolve(text === NEW_VOLUME);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
