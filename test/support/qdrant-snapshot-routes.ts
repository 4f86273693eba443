import { randomUUID } from 'node:crypto';
import { Refusal } from './qdrant-refusal';
import type { QdrantNode, Route } from './qdrant-routes';
import type { StoredSnapshot } from './stored-collection';
import { checkLocalMode, describeSnapshot, NodeSnapshots, recoverSnapshot } from './stored-snapshots';

/** Snapshots of collections. */
export function snapshotRoutes(node: QdrantNode): Route[] {
  const { state } = node;
  const files = () => new NodeSnapshots(state, node.peer);
  return [
    [
      'POST',
      /^\/collections\/([^/]+)\/snapshots$/,
      (_, name) => files().take(name as string, state.collection(name as string)),
    ],
    [
      'GET',
      /^\/collections\/([^/]+)\/snapshots$/,
      (_, name) => {
        state.collection(name as string);
        return files()
          .list(name as string)
          .map(([file, snapshot]) => describeSnapshot(file, snapshot));
      },
    ],
    [
      'DELETE',
      /^\/collections\/([^/]+)\/snapshots\/([^/]+)$/,
      (_, name, file) => {
        state.collection(name as string);
        return files().delete(name as string, file as string);
      },
    ],
    [
      'PUT',
      /^\/collections\/([^/]+)\/snapshots\/recover$/,
      ({ body }, name) => {
        const [, directory, file] = /^file:\/\/\/qdrant\/snapshots\/(.+)\/(.+)$/.exec(body?.location) ?? [];
        if (directory === undefined || decodeURIComponent(directory) !== name || file === undefined) {
          throw new Refusal(403, `Forbidden: ${body?.location} is not inside the snapshots directory`);
        }
        const snapshot = files().onVolume(name, decodeURIComponent(file));
        return recover(node, name, snapshot, body.priority);
      },
    ],
    [
      'POST',
      /^\/collections\/([^/]+)\/snapshots\/upload$/,
      ({ body, query }, name) => {
        const [, head, content] = /^(.*?)\r\n\r\n(.*)\r\n--/s.exec(body ?? '') ?? [];
        if (head === undefined || content === undefined) {
          throw new Refusal(400, 'Multipart error: Field with name "snapshot" is required');
        }
        const [, file = randomUUID()] = /filename="([^"]+)"/.exec(head) ?? [];
        const snapshot: StoredSnapshot | undefined = content === '' ? undefined : JSON.parse(content);
        // Kept before it is looked into.
        files().keepUpload(name as string, file, snapshot);
        if (snapshot === undefined) {
          throw Refusal.serviceError('failed to fill whole buffer');
        }
        return recover(node, name as string, snapshot, query.get('priority'));
      },
    ],
  ];
}

function recover(node: QdrantNode, name: string, snapshot: StoredSnapshot, priority: string | null): boolean {
  if (priority !== 'snapshot') {
    throw new Refusal(501, `the stand-in recovers with the priority snapshot only, not with ${priority}`);
  }
  const { state, peer, clustered } = node;
  if (!clustered) {
    checkLocalMode(snapshot);
  }
  const collection = state.collections.get(name) ?? state.agree(() => state.create(name, snapshot.params));
  recoverSnapshot(collection, snapshot, peer);
  return true;
}
