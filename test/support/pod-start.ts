import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './node-programs';

/** A node of a Qdrant cluster, as its pod knows it. */
export interface StartingNode {
  /** Number of the pod. */
  readonly ordinal: number;
  /** Variables of the cluster: addresses of the nodes, and the key. */
  readonly env: { readonly [name: string]: string };
  /** Folder of its data; it need not exist. */
  readonly storage: string;
  /** Ends it before it has decided. */
  readonly signal: AbortSignal;
}

/** Runs the init container of a Qdrant pod; returns the arguments that Qdrant is to be started with. */
export async function decideStart({ ordinal, env, storage, signal }: StartingNode): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pod-start-'));
  const file = join(folder, 'arguments');
  const uri = env.QDRANT_PEER_URIS?.split(',')[ordinal] ?? '';
  const variables = {
    ...env,
    POD_NAME: `qdrant-${ordinal}`,
    QDRANT_STORAGE: storage,
    QDRANT_START_FILE: file,
    QDRANT_LISTEN_HOST: new URL(uri).hostname,
    QDRANT_LOOK_INTERVAL: '0.05',
  };
  try {
    await runProgram('vector-store/find-cluster.mjs', variables, signal);
    return readFileSync(file, 'utf8').trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
