import { spawnSync } from 'node:child_process';

/** Whether a program is installed; a test that needs one that is not says so and is skipped. */
export function isInstalled(program: string): boolean {
  const installed = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!installed) {
    console.warn(`skipped: what needs ${program}, which is not installed`);
  }
  return installed;
}

/** Path of a Qdrant program, which QDRANT_BINARY names; a test that needs it says that it is skipped where it is not named. */
export function qdrantBinary(): string | undefined {
  const { QDRANT_BINARY: binary } = process.env;
  if (binary === undefined) {
    console.warn('skipped: what needs a real Qdrant, whose program QDRANT_BINARY does not name');
  }
  return binary;
}
