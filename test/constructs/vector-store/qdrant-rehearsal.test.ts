import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cron, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { QdrantRehearsal, type QdrantRehearsalProps } from '../../../constructs/vector-store/qdrant-rehearsal';
import { QdrantSizing } from '../../../constructs/vector-store/qdrant-sizing';
import { Quantization } from '../../../constructs/vector-store/quantization';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';
import { Image } from '../../../constructs/workload/image';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { DIGEST, RESOURCES } from '../../support/values';

function rehearsal(
  props: Partial<QdrantRehearsalProps> = {},
  storeProps: Partial<QdrantProps> = {},
  cluster: ClusterProps = {},
) {
  const chart = testChart(cluster);
  const store = new Qdrant(chart, 'qdrant', {
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    snapshots: SnapshotSchedule.daily({ hour: 2, keep: 3 }),
    ...storeProps,
  });
  new QdrantRehearsal(chart, 'rehearsal', {
    of: store,
    schedule: Cron.weekly(),
    ...props,
  });
  return render(chart);
}

function cronJobOf(objects: ReturnType<typeof render>) {
  return find(objects, 'CronJob', 'qdrant-rehearsal');
}

/** What is asked for of the volume that goes with the pod. */
function storageOf(objects: ReturnType<typeof render>) {
  const volumes: Json[] = templateOf(cronJobOf(objects)).spec.volumes;
  return volumes.find(({ name }) => name === 'storage').ephemeral.volumeClaimTemplate.spec;
}

function scratchOf(objects: ReturnType<typeof render>) {
  return templateOf(cronJobOf(objects)).spec.containers[1];
}

describe('the program', () => {
  const objects = rehearsal();
  const cronJob = cronJobOf(objects);

  test('runs on its schedule, once', () => {
    expect(cronJob.spec).toMatchObject({ schedule: '0 0 * * 0', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    expect(cronJob.spec.jobTemplate.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 6 * 3600 });
    // A pod that has ended keeps its volume.
    expect(cronJob.spec.jobTemplate.spec.ttlSecondsAfterFinished).toBe(12 * 3600);
    // Snapshots pass through it.
    expect(mainContainer(cronJob).resources.limits).toEqual({ memory: '256Mi', 'ephemeral-storage': '256Mi' });
    expect(mainContainer(cronJob).command).toEqual(['node', '/opt/program/rehearse-snapshots.mjs']);
  });

  test('knows the nodes, the Qdrant beside it, and how far the counts may be apart', () => {
    expect(env(cronJob, 'QDRANT_NODE_URLS').split(',')).toHaveLength(3);
    expect(env(cronJob, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(cronJob, 'REHEARSAL_URL')).toBe('http://127.0.0.1:6333');
    expect(env(cronJob, 'REHEARSAL_TOLERANCE_PERCENT')).toBe('5');
    expect(env(cronJob, 'SNAPSHOT_STORAGE')).toBe('local');
    expect(env(cronJob, 'QDRANT_COLLECTIONS')).toBeUndefined();
    expect(env(cronJob, 'REHEARSAL_ALLOW_EMPTY')).toBeUndefined();
    expect(env(cronJob, 'NODE_EXTRA_CA_CERTS')).toBeUndefined();
  });

  test('may speak to the nodes, and nobody to it', () => {
    const { egress, ingress } = find(objects, 'NetworkPolicy', 'qdrant-rehearsal').spec;
    expect(ingress).toBeUndefined();
    expect(egress.map(({ ports }: { ports: { port: number }[] }) => ports[0]?.port)).toEqual([6333, 53]);
  });

  test('passes on what it is told', () => {
    const to = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1' });
    const job = cronJobOf(
      rehearsal(
        {
          collections: ['a', 'b'],
          tolerance: 0,
          timeZone: 'Europe/Berlin',
          deadline: Duration.hours(1),
          allowEmpty: true,
        },
        {
          snapshots: SnapshotSchedule.daily({ hour: 2, keep: 3, to }),
          tls: ServerCertificate.existing('qdrant-certificate'),
        },
      ),
    );
    expect(env(job, 'QDRANT_COLLECTIONS')).toBe('a,b');
    expect(env(job, 'REHEARSAL_TOLERANCE_PERCENT')).toBe('0');
    expect(env(job, 'REHEARSAL_ALLOW_EMPTY')).toBe('true');
    expect(env(job, 'SNAPSHOT_STORAGE')).toBe('s3');
    expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
    expect(job.spec.timeZone).toBe('Europe/Berlin');
    expect(job.spec.jobTemplate.spec.activeDeadlineSeconds).toBe(3600);
  });
});

describe('the Qdrant that is thrown away', () => {
  const objects = rehearsal();
  const scratch = scratchOf(objects);
  const { initContainers, securityContext } = templateOf(cronJobOf(objects)).spec;

  test('is a plain second container of the same version, which every Kubernetes runs', () => {
    expect(scratch.name).toBe('throw-away');
    expect(scratch.image).toBe(mainContainer(find(objects, 'StatefulSet', 'qdrant')).image);
    expect(initContainers).toBeUndefined();
    const image = Image.of('ghcr.io/acme/qdrant', { tag: 'v1.19.9', digest: DIGEST });
    expect(scratchOf(rehearsal({}, { image })).image).toBe(`ghcr.io/acme/qdrant:v1.19.9@${DIGEST}`);
  });

  test('can be reached from its pod only, so it needs no key', () => {
    const variables = Object.fromEntries(
      scratch.env.map(({ name, value }: { name: string; value?: string }) => [name, value]),
    );
    expect(variables).toEqual({
      REHEARSAL_DONE: '/run/rehearsal/done',
      // A cluster of one, which takes the snapshots of nodes that do not hold every shard.
      QDRANT__CLUSTER__ENABLED: 'true',
      QDRANT__CLUSTER__P2P__PORT: '6335',
      REHEARSAL_PEER_URI: 'http://127.0.0.1:6335',
      QDRANT__SERVICE__HOST: '127.0.0.1',
      QDRANT__TELEMETRY_DISABLED: 'true',
      QDRANT__STORAGE__SNAPSHOTS_PATH: '/qdrant/storage/snapshots',
      QDRANT_INIT_FILE_PATH: '/run/rehearsal/.qdrant-initialized',
    });
    expect(scratch.ports).toBeUndefined();
  });

  test('has a volume of its own that goes with the pod, and shares with the program the file by which it ends', () => {
    expect(scratch.volumeMounts).toEqual([
      { name: 'storage', mountPath: '/qdrant/storage' },
      { name: 'run', mountPath: '/run/rehearsal' },
    ]);
    expect(storageOf(objects)).toEqual({
      accessModes: ['ReadWriteOnce'],
      // Half of a node's 50 GiB, for 3 ÷ 2 nodes and twice for one.
      resources: { requests: { storage: '88Gi' } },
      volumeMode: 'Filesystem',
    });
    expect(securityContext.fsGroup).toBe(1000);
    expect(mainContainer(cronJobOf(objects)).volumeMounts).toContainEqual({ name: 'run', mountPath: '/run/rehearsal' });
    expect(env(cronJobOf(objects), 'REHEARSAL_DONE')).toBe('/run/rehearsal/done');
  });

  test('asks for room for one copy of all shards, unless told otherwise', () => {
    expect(scratch.resources).toMatchObject({ requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '2Gi' } });
    const six = { nodes: 6, resources: { ...RESOURCES, memory: Size.gibibytes(5) } };
    expect(scratchOf(rehearsal({}, six)).resources.requests.memory).toBe('15Gi');
    expect(storageOf(rehearsal({}, six)).resources.requests.storage).toBe('125Gi');
    const single = { nodes: 1, resources: { ...RESOURCES, memory: Size.gibibytes(5) } };
    expect(scratchOf(rehearsal({}, single)).resources.requests.memory).toBe('5Gi');
    expect(storageOf(rehearsal({}, single)).resources.requests.storage).toBe('75Gi');
    const resources = { memory: Size.gibibytes(8), cpuLimit: Cpu.units(2) };
    expect(scratchOf(rehearsal({ resources })).resources).toMatchObject({
      requests: { cpu: '1', memory: '8Gi' },
      limits: { cpu: '2', memory: '8Gi' },
    });
    const storage = Size.gibibytes(200);
    expect(storageOf(rehearsal({ storage })).resources.requests.storage).toBe('200Gi');
  });

  test('has room as the sizing says', () => {
    const sizing = QdrantSizing.forVectors({
      count: 25_000_000,
      dimensions: 1024,
      quantization: Quantization.SCALAR,
    });
    const sized = rehearsal({}, { sizing, resources: undefined, storage: undefined });
    // A node has 39 GiB of memory, and a snapshot of 165 GiB.
    expect(scratchOf(sized).resources.requests.memory).toBe('59Gi');
    expect(storageOf(sized).resources.requests.storage).toBe('578Gi');
  });

  test('has no less room than the sizing says, unless it tries out some collections only', () => {
    const sizing = QdrantSizing.forVectors({ count: 25_000_000, dimensions: 1024, quantization: Quantization.SCALAR });
    const sized = { sizing, resources: undefined, storage: undefined };
    const storage = Size.gibibytes(577);
    expect(refusalOf(() => rehearsal({ storage }, sized)).message).toBe(
      'rag/rehearsal: storage is 577Gi, but one copy of all shards and twice the snapshot of a node need (3 nodes ÷ 2 ' +
        'copies + 2) × 165Gi = 578Gi; raise it, or leave it out',
    );
    const some = rehearsal({ storage, collections: ['small'] }, sized);
    expect(storageOf(some).resources.requests.storage).toBe('577Gi');
    const enough = rehearsal({ storage: Size.gibibytes(578) }, sized);
    expect(storageOf(enough).resources.requests.storage).toBe('578Gi');
    // Without a sizing the need is a guess.
    expect(() => rehearsal({ storage: Size.gibibytes(10) })).not.toThrow();
  });

  test('is on the class for block volumes, or on one that is said', () => {
    const storage = { block: 'gp3', shared: 'efs' };
    expect(storageOf(rehearsal({}, {}, { storage })).storageClassName).toBe('gp3');
    expect(storageOf(rehearsal({ storageClass: 'fast' }, {}, { storage })).storageClassName).toBe('fast');
    expect(() => rehearsal({ storageClass: 'efs' }, {}, { storage })).toThrow('rag/rehearsal: storageClass is "efs", ');
  });

  test('has a command in which the kubelet finds no variable of its own', () => {
    expect(scratch.command.slice(0, 2)).toEqual(['sh', '-c']);
    expect(scratch.command[2]).not.toMatch(/\$\(|\$\$/);
  });
});

describe('its script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'throw-away-'));
  const done = join(folder, 'done');
  const [, , script] = scratchOf(rehearsal()).command;

  /** Runs the script where Qdrant does this. */
  function start(qdrant: string) {
    rmSync(done, { force: true });
    writeFileSync(join(folder, 'qdrant'), `#!/bin/sh\n${qdrant}\n`, { mode: 0o755 });
    const variables = { REHEARSAL_DONE: done, REHEARSAL_PEER_URI: 'http://127.0.0.1:6335' };
    return spawn('sh', ['-c', script], { cwd: folder, env: { ...process.env, ...variables }, stdio: 'ignore' });
  }

  const running = 'trap "touch ended; exit 0" TERM; echo "$*" > started; while :; do sleep 0.1; done';
  afterEach(() => ['started', 'ended'].map((file) => rmSync(join(folder, file), { force: true })));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function started(): Promise<void> {
    while (!existsSync(join(folder, 'started'))) {
      await sleep(20);
    }
  }

  test('runs Qdrant until the file is there, ends it in order and succeeds', async () => {
    const child = start(running);
    await started();
    expect(child.exitCode).toBeNull();
    while (readFileSync(join(folder, 'started'), 'utf8') === '') {
      await sleep(20);
    }
    expect(readFileSync(join(folder, 'started'), 'utf8')).toBe('--uri http://127.0.0.1:6335\n');
    writeFileSync(done, '');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(join(folder, 'ended'))).toBe(true);
  });

  test('fails when Qdrant ends by itself', async () => {
    expect(await once(start('exit 3'), 'exit')).toEqual([1, null]);
  });

  test('ends Qdrant when the pod is stopped', async () => {
    const child = start(running);
    await started();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
    while (!existsSync(join(folder, 'ended'))) {
      await sleep(20);
    }
  });
});

describe('mistakes', () => {
  test('a database that takes no snapshots', () => {
    expect(() => rehearsal({}, { snapshots: undefined })).toThrow(
      'rag/rehearsal: of is qdrant, which takes no snapshots; set its snapshots',
    );
  });

  // Plain JavaScript can say null.
  test.each([-1, 101, Number.NaN, null as never])('a tolerance of %s %%', (tolerance) => {
    expect(() => rehearsal({ tolerance })).toThrow(
      `rag/rehearsal: tolerance is ${tolerance}, but must be from 0 to 100`,
    );
  });

  test('no collection', () => {
    expect(() => rehearsal({ collections: [] })).toThrow(
      'rag/rehearsal: collections is empty; leave it out for all collections',
    );
  });
});
