import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvValue } from '../../../constructs/workload/env-value';
import { NodeProgram } from '../../../constructs/workload/node-program';
import { find, mainContainer } from '../../support/manifests';
import { IMAGE, KEY, RESOURCES } from '../../support/values';
import { deployed } from '../../support/workloads';

describe('a program', () => {
  const directory = mkdtempSync(join(tmpdir(), 'node-program-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const MAIN = "import { readFileSync } from 'node:fs';\nimport './client.mjs';\n";
  // A circle, which a module may be in.
  const CLIENT = "import { main } from './main.mjs';\nexport const ü = `$(date)`;\n";
  writeFileSync(join(directory, 'main.mjs'), MAIN);
  writeFileSync(join(directory, 'client.mjs'), CLIENT);
  writeFileSync(join(directory, 'alone.mjs'), '');
  writeFileSync(join(directory, 'stranger.mjs'), '');

  test('is its file and the modules that it imports, as they are, in one directory', () => {
    expect(NodeProgram.of(directory, 'main.mjs').files).toEqual({
      '/opt/program/main.mjs': MAIN,
      '/opt/program/client.mjs': CLIENT,
    });
    expect(Object.keys(NodeProgram.of(directory, 'alone.mjs').files)).toEqual(['/opt/program/alone.mjs']);
  });

  test('is run by Node.js with its variables, on little', () => {
    const env = { KEY: EnvValue.fromSecret(KEY) };
    const container = NodeProgram.of(directory, 'main.mjs').container(IMAGE, env);
    expect(container).toMatchObject({ image: IMAGE, command: ['node', '/opt/program/main.mjs'], env });
    expect(container).not.toHaveProperty('args');
    expect(container).not.toHaveProperty('ports');
    const rendered = mainContainer(deployed({ container }).object());
    expect(rendered.resources).toMatchObject({
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { memory: '128Mi' },
    });
    expect(rendered.env).toEqual([{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'existing', key: 'key' } } }]);
  });

  test('asks for what it is told to', () => {
    const { resources } = NodeProgram.of(directory, 'client.mjs').container(IMAGE, {}, RESOURCES);
    expect(resources).toBe(RESOURCES);
  });

  test('has its files where its command looks for them', () => {
    const program = NodeProgram.of(directory, 'main.mjs');
    const { construct, objects, object } = deployed({ container: program.container(IMAGE, {}) });
    construct.addConfigFiles(program.files);
    const { command, volumeMounts } = mainContainer(object());
    const paths = volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(paths).toContain(command[1]);
    expect(paths).toEqual(['/opt/program/main.mjs', '/opt/program/client.mjs']);
    expect(find(objects(), 'ConfigMap', 'api').data).toEqual({
      'main.mjs': MAIN,
      'client.mjs': CLIENT,
    });
  });

  test('of which a file is not there is a mistake', () => {
    writeFileSync(join(directory, 'broken.mjs'), "import { x } from './missing.mjs';\n");
    expect(() => NodeProgram.of(directory, 'broken.mjs')).toThrow(/ENOENT.*missing\.mjs/);
  });
});
