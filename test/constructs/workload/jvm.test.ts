import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { RagApi } from '../../../constructs/api/rag-api';
import type { DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { HeapDumps } from '../../../constructs/workload/heap-dumps';
import { Jvm, type JvmProps } from '../../../constructs/workload/jvm';
import type { Resources } from '../../../constructs/workload/resources';
import { Volume } from '../../../constructs/workload/volume';
import { env, find, render, testChart } from '../../support/manifests';
import { isInstalled } from '../../support/programs';
import { IMAGE, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const VARIABLE = 'JAVA_TOOL_OPTIONS';

/** A program of Java with this memory. */
function program(jvm: Jvm, memory: Partial<Resources> = {}, props: Partial<DeploymentProps> = {}) {
  const resources = { ...RESOURCES, ...memory };
  return deployed({ jvm, container: { ...CONTAINER, resources }, ...props });
}

/** The options that it gets. */
function optionsOf(props: JvmProps, memory: Partial<Resources> = {}): string[] {
  return env(program(Jvm.of(props), memory).object(), VARIABLE).split(' ');
}

describe('a JVM', () => {
  test('takes three quarters of the memory limit for its heap, ends when it is full, and writes nothing into /tmp', () => {
    expect(optionsOf({})).toEqual([
      '-XX:MaxRAMPercentage=75.0',
      '-XX:MinRAMPercentage=75.0',
      '-XX:+ExitOnOutOfMemoryError',
      '-XX:-UsePerfData',
    ]);
    const { volumes, containers } = program(Jvm.of()).template().spec;
    expect(volumes).toBeUndefined();
    expect(containers[0]).not.toHaveProperty('volumeMounts');
  });

  test('takes another part, counts on other processors, and has more options when told so', () => {
    const options = optionsOf({ heap: 50, processors: 4, options: ['-XX:+UseZGC', '-Duser.timezone=UTC'] });
    expect(options.slice(0, 2)).toEqual(['-XX:MaxRAMPercentage=50.0', '-XX:MinRAMPercentage=50.0']);
    expect(options.slice(-3)).toEqual(['-XX:ActiveProcessorCount=4', '-XX:+UseZGC', '-Duser.timezone=UTC']);
  });

  test('is none unless it is said', () => {
    expect(env(deployed().object(), VARIABLE)).toBeUndefined();
  });

  test('keeps what the container has besides', () => {
    const mounts = [{ volume: Volume.scratch('tmp', Size.mebibytes(64)), path: '/tmp' }];
    const container = { ...CONTAINER, mounts, env: { A: EnvValue.of('a') } };
    const jvm = Jvm.of({ heapDumps: HeapDumps.SCRATCH });
    const { template, object } = deployed({ jvm, container, env: { B: EnvValue.of('b') } });
    expect([env(object(), 'A'), env(object(), 'B')]).toEqual(['a', 'b']);
    expect(template().spec.containers[0].volumeMounts).toEqual([
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'heap-dumps', mountPath: '/var/heap-dumps' },
    ]);
  });

  test('can run the API, and what prepares for it', () => {
    const chart = testChart();
    const api = new RagApi(chart, 'api', { image: IMAGE, jvm: Jvm.of({ heapDumps: HeapDumps.SCRATCH }) });
    api.workload.addPreparation({ name: 'warm-up', image: IMAGE, resources: RESOURCES });
    const { containers, initContainers } = find(render(chart), 'Deployment', 'api').spec.template.spec;
    expect(containers[0].env.map(({ name }: { name: string }) => name)).toContain(VARIABLE);
    expect(initContainers[0].env).toEqual(containers[0].env);
    expect(initContainers[0].volumeMounts).toEqual(containers[0].volumeMounts);
  });

  test.each<[string, Partial<DeploymentProps>]>([
    ['env', { env: { [VARIABLE]: EnvValue.of('-Xmx1g') } }],
    ['container.env', { container: { ...CONTAINER, env: { [VARIABLE]: EnvValue.of('-Xmx1g') } } }],
  ])('is not told in two places: %s', (_, props) => {
    expect(() => program(Jvm.of(), {}, props)).toThrow(
      `rag/api: env.${VARIABLE} is set by jvm; put its options into jvm.options, or leave jvm out`,
    );
  });
});

describe('the heap', () => {
  test.each([9, 91, 0, 12.5, Number.NaN])('is from 10 to 90 percent: %d', (heap) => {
    expect(() => Jvm.of({ heap })).toThrow(`jvm.heap is ${heap}, but must be a whole number of percent from 10 to 90`);
  });

  test.each<[number, number, number]>([
    [75, 511, 512],
    [50, 255, 256],
    [90, 1279, 1280],
    [10, 142, 143],
  ])('of %d percent leaves too little of %d MiB, and enough of %d', (heap, tooSmall, enough) => {
    const limit = (mebibytes: number) => ({ memory: Size.mebibytes(100), memoryLimit: Size.mebibytes(mebibytes) });
    expect(() => program(Jvm.of({ heap }), limit(tooSmall))).toThrow(
      new RegExp(
        `^rag/api: jvm\\.heap is ${heap} percent of ${tooSmall}Mi, which leaves less than 128Mi for classes, compiled ` +
          `code and threads; make the memory limit ([0-9]+[MG]i) or more, or the heap a smaller part$`,
      ),
    );
    expect(() => program(Jvm.of({ heap }), limit(enough))).not.toThrow();
  });

  test('is told the limit that would do', () => {
    expect(() => program(Jvm.of(), { memory: Size.mebibytes(256) })).toThrow(/make the memory limit 512Mi or more/);
    expect(() => program(Jvm.of({ heap: 10 }), { memory: Size.mebibytes(128) })).toThrow(
      /make the memory limit 143Mi or more/,
    );
  });
});

describe('processors', () => {
  test('are those of the container unless they are said, and not those of the request', () => {
    expect(optionsOf({}, { cpu: Cpu.millis(250) }).join(' ')).not.toContain('ActiveProcessorCount');
  });

  test.each([0, -1, 1.5])('are whole: %d', (processors) => {
    expect(() => Jvm.of({ processors })).toThrow(`jvm.processors is ${processors}, but must be a whole number from 1`);
  });
});

describe('options', () => {
  test.each(['', 'UseZGC', '-Da=b c', '-Da="b"', "-Da='b'", '-'])('are words of the JVM: %j', (option) => {
    expect(() => Jvm.of({ options: [option] })).toThrow(
      `jvm.options has "${option}", but each is one word that begins with "-", without spaces and quotes: -XX:+UseZGC`,
    );
  });

  test.each([
    '-Xmx2g',
    '-XX:MaxHeapSize=2g',
    '-XX:MaxRAM=2g',
    '-XX:MaxRAMPercentage=80.0',
    '-XX:MinRAMPercentage=80.0',
    '-XX:HeapDumpPath=/tmp',
    '-XX:ActiveProcessorCount=2',
    '-XX:+HeapDumpOnOutOfMemoryError',
    '-XX:-ExitOnOutOfMemoryError',
  ])('do not say what properties say: %s', (option) => {
    expect(() => Jvm.of({ options: [option] })).toThrow(
      `jvm.options has "${option}", which heap, heapDumps, processors and the library say; leave it out`,
    );
  });

  test.each(['-Xms512m', '-XX:InitialRAMPercentage=75.0', '-Xlog:gc', '-javaagent:/opt/agent.jar'])(
    'may be others: %s',
    (option) => {
      expect(() => Jvm.of({ options: [option] })).not.toThrow();
    },
  );

  test('are what they were, whatever the caller does with the list', () => {
    const options = ['-XX:+UseZGC'];
    const jvm = Jvm.of({ options });
    options.push('-Xmx1g');
    expect(env(program(jvm).object(), VARIABLE)).not.toContain('-Xmx1g');
  });
});

describe('heap dumps', () => {
  const DUMP = ['-XX:+HeapDumpOnOutOfMemoryError', '-XX:HeapDumpPath=/var/heap-dumps/heap.hprof'];

  test('fit onto the disk, which the container may use', () => {
    const { template } = program(Jvm.of({ heap: 50, heapDumps: HeapDumps.SCRATCH }), { memory: Size.gibibytes(2) });
    const { volumes, containers } = template().spec;
    expect(env({ kind: 'Deployment', spec: { template: template() } } as never, VARIABLE).split(' ')).toEqual(
      expect.arrayContaining(DUMP),
    );
    expect(volumes).toEqual([{ name: 'heap-dumps', emptyDir: { sizeLimit: '2Gi' } }]);
    expect(containers[0].volumeMounts).toEqual([{ name: 'heap-dumps', mountPath: '/var/heap-dumps' }]);
    // 256 MiB for logs, and the volume.
    expect(containers[0].resources.limits['ephemeral-storage']).toBe('2304Mi');
  });

  test('are as large as the limit says, not the request', () => {
    const { template } = program(Jvm.of({ heapDumps: HeapDumps.SCRATCH }), { memoryLimit: Size.gibibytes(4) });
    expect(template().spec.volumes[0].emptyDir.sizeLimit).toBe('6Gi');
  });

  test('can be on a volume of their own', () => {
    const volume = Volume.ephemeral('dumps', Size.gibibytes(8));
    const { template } = program(Jvm.of({ heapDumps: HeapDumps.on(volume) }));
    const { volumes, containers } = template().spec;
    expect(volumes).toHaveLength(1);
    expect(volumes[0]).toHaveProperty('ephemeral');
    expect(containers[0].volumeMounts).toEqual([{ name: 'dumps', mountPath: '/var/heap-dumps' }]);
  });

  test('have room for the heap', () => {
    const on = (size: Size) => program(Jvm.of({ heapDumps: HeapDumps.on(Volume.scratch('dumps', size)) }));
    expect(() => on(Size.mebibytes(767))).toThrow(
      'rag/api: jvm.heapDumps has 767Mi, but the heap can have 768Mi, and a pod that writes more than the volume holds ' +
        'is evicted with its dump; give it up to twice the heap, or use HeapDumps.SCRATCH',
    );
    expect(() => on(Size.mebibytes(768))).not.toThrow();
  });

  test('are none unless they are asked for', () => {
    expect(optionsOf({}).join(' ')).not.toContain('HeapDump');
  });
});

/**
 * A program that keeps what it makes: `Object[] last = null; for (;;) { Object[] next = new Object[1000]; next[0] = last;
 * last = next; }`, compiled with `javac --release 8 -g:none`, because a JRE need not have a compiler.
 */
const FILL =
  'yv66vgAAADQADwoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWBwAIAQAERmlsbAEABENvZGUBAARtYWluAQAW' +
  'KFtMamF2YS9sYW5nL1N0cmluZzspVgEADVN0YWNrTWFwVGFibGUHAA4BABNbTGphdmEvbGFuZy9PYmplY3Q7ACAABwACAAAAAAACAAAABQAGAAEA' +
  'CQAAABEAAQABAAAABSq3AAGxAAAAAAAJAAoACwABAAkAAAAsAAMAAwAAABIBTBED6L0AAk0sAytTLEyn//MAAAABAAwAAAAIAAH8AAIHAA0AAA==';

const suite = isInstalled('java') ? describe : describe.skip;

suite('a real JVM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-rag-jvm-'));
  writeFileSync(join(folder, 'Fill.class'), Buffer.from(FILL, 'base64'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it in a container of this size, whose dumps are in the folder. */
  function run(props: JvmProps, mebibytes: number, ...args: string[]) {
    const options = optionsOf(props, { memory: Size.mebibytes(mebibytes) });
    const here = options.map((option) => option.replace('/var/heap-dumps', folder)).join(' ');
    return spawnSync('java', [`-XX:MaxRAM=${mebibytes}m`, '-cp', folder, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, [VARIABLE]: here },
    });
  }

  test.each<[number, number]>([
    [75, 512],
    [75, 1024],
    [10, 160],
    // So small that the other percentage counts.
    [40, 220],
  ])('has a heap of %d percent of %d MiB', (heap, mebibytes) => {
    const { stdout, status } = run({ heap }, mebibytes, '-XX:+PrintFlagsFinal', '-version');
    expect(status).toBe(0);
    const bytes = Number(/ MaxHeapSize += (\d+)/.exec(stdout)?.[1]);
    // It is rounded up to whole regions.
    expect(bytes / 2 ** 20 - (mebibytes * heap) / 100).toBeLessThanOrEqual(2);
    expect(bytes / 2 ** 20).toBeGreaterThanOrEqual(Math.floor((mebibytes * heap) / 100));
  });

  test('reads every option from the variable', () => {
    const props = { heapDumps: HeapDumps.SCRATCH, processors: 3, options: ['-XX:+UseSerialGC'] };
    const { stdout } = run(props, 512, '-XX:+PrintFlagsFinal', '-version');
    const flag = (name: string) => new RegExp(` ${name} += (\\S*) `).exec(stdout)?.[1];
    expect(flag('ExitOnOutOfMemoryError')).toBe('true');
    expect(flag('HeapDumpOnOutOfMemoryError')).toBe('true');
    expect(flag('UsePerfData')).toBe('false');
    expect(flag('ActiveProcessorCount')).toBe('3');
    expect(flag('UseSerialGC')).toBe('true');
  });

  test('dumps its heap into the file, ends after that, and writes no second one over it', () => {
    const props = { heap: 10, heapDumps: HeapDumps.SCRATCH };
    const first = run(props, 200, 'Fill');
    const file = join(folder, 'heap.hprof');
    expect(first.status).toBe(3);
    expect(first.stdout + first.stderr).toMatch(/Heap dump file created[\s\S]*Terminating due to/);
    const { size, mtimeMs } = statSync(file);
    expect(size).toBeGreaterThan(20 * 2 ** 20);
    expect(size).toBeLessThan(2 * 20 * 2 ** 20);

    const second = run(props, 200, 'Fill');
    expect(second.status).toBe(3);
    expect(statSync(file)).toMatchObject({ size, mtimeMs });
    expect(readdirSync(folder)).toEqual(['Fill.class', 'heap.hprof']);
  });

  test('ends without a dump when none is asked for', () => {
    const { status, stdout, stderr } = run({ heap: 10 }, 200, 'Fill');
    expect(status).toBe(3);
    expect(stdout + stderr).not.toContain('Dumping');
  });
});
