import { homedir } from 'node:os';
import { join } from 'node:path';

/** A place outside the clone for what takes long to make and is used by every run. */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cdk8s-rag', ...parts);
}
