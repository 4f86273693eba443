import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './support/project';

type LockedPackage = { resolved?: string; optionalDependencies?: Record<string, string> };

describe('package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };

  test('names no download address, so that every registry will do', () => {
    const addresses = Object.values(packages).map((locked) => locked.resolved);
    expect(addresses.filter((address) => address !== undefined)).toEqual([]);
  });

  test('holds the binaries of every platform, so that `npm ci` works on each', () => {
    const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const wanted = Object.values(packages).flatMap((locked) => Object.keys(locked.optionalDependencies ?? {}));
    expect(wanted).toContain('@biomejs/cli-darwin-arm64');
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });
});
