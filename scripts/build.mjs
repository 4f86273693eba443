// Builds the npm package into lib/: the compiled code, and beside it the files that the code reads.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ASSETS = /\.(sh|mjs|sql|schema\.json)$/;

rmSync('lib', { recursive: true, force: true });
execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
for (const root of ['charts', 'constructs']) {
  for (const file of readdirSync(root, { recursive: true })) {
    if (ASSETS.test(file)) {
      cpSync(join(root, file), join('lib', root, file));
    }
  }
}
