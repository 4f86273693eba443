import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** How a program ended and what it said. */
export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the library to its end, with these variables and no others; a signal ends it before. */
export async function runProgram(
  path: string,
  env: { readonly [name: string]: string },
  signal?: AbortSignal,
): Promise<ProgramResult> {
  const program = resolve(__dirname, '..', '..', 'constructs', path);
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'], signal });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (text) => {
      output[stream] += text;
    });
  }
  const [status] = await once(child, 'close');
  return { status, ...output };
}
