import { homedir } from 'node:os';
import { join } from 'node:path';

/** A folder outside the clone for programs that take long to build and that every run uses. */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cdk8s-rag', ...parts);
}
