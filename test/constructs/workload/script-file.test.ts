import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptFile } from '../../../constructs/workload/script-file';

describe('a script', () => {
  const directory = mkdtempSync(join(tmpdir(), 'script-file-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test('is read as it is', () => {
    const text = '#!/bin/sh\necho "ü $(date)"\n\n';
    writeFileSync(join(directory, 'start.sh'), text);
    expect(scriptFile(directory, 'start.sh')).toBe(text);
  });

  test('has one line ending, whichever Git wrote into the clone', () => {
    writeFileSync(join(directory, 'start.sh'), '#!/bin/sh\r\nexec \\\r\n  program\r\n');
    expect(scriptFile(directory, 'start.sh')).toBe('#!/bin/sh\nexec \\\n  program\n');
  });

  test('that is not there is a mistake', () => {
    expect(() => scriptFile(directory, 'missing.sh')).toThrow(/ENOENT.*missing\.sh/);
  });
});
