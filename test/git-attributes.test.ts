import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from './support/programs';
import { ROOT } from './support/project';

const FILES = ['main.ts', 'cdk8s.yaml', 'constructs/data/redis-start.sh'];

(isInstalled('git') ? test : test.skip)(
  'a clone has the same bytes where Git is told to write carriage returns',
  () => {
    const home = mkdtempSync(join(tmpdir(), 'clone-'));
    const git = (folder: string, ...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@acme.example', ...args], {
        cwd: join(home, folder),
        env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    try {
      mkdirSync(join(home, 'origin'));
      for (const file of ['.gitattributes', ...FILES]) {
        cpSync(join(ROOT, file), join(home, 'origin', file));
      }
      git('origin', 'init', '-q');
      git('origin', 'add', '.');
      git('origin', 'commit', '-q', '-m', 'all');
      git('.', 'clone', '-q', '-c', 'core.autocrlf=true', 'origin', 'clone');
      for (const file of FILES) {
        expect(readFileSync(join(home, 'clone', file)).equals(readFileSync(join(ROOT, file)))).toBe(true);
      }
    } finally {
      rmSync(home, { recursive: true });
    }
  },
);
