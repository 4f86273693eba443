import { spawnSync } from 'node:child_process';

/** Whether a program is installed; a test that needs one that is not says so and is skipped. */
export function isInstalled(program: string): boolean {
  const installed = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!installed) {
    console.warn(`skipped: what needs ${program}, which is not installed`);
  }
  return installed;
}
