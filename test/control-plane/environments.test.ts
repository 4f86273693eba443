import { isDeepStrictEqual } from 'node:util';
import { groupOf, type Json, type ManifestObject, nameOf, renderedPods } from '../../constructs/rules/output';
import { ControlPlane, hasControlPlane, until } from '../support/control-plane';
import { crdsOf } from '../support/crds';
import { EACH_ENVIRONMENT, type TestedEnvironment } from '../support/environments';
import { SCHEMAS_PRESENT } from '../support/schemas';

const suite = hasControlPlane() && SCHEMAS_PRESENT ? describe : describe.skip;

jest.setTimeout(600_000);

/** An object and its file. */
type File = readonly [object: ManifestObject, text: string];

suite('a real control plane', () => {
  const cluster = new ControlPlane();

  beforeAll(async () => {
    await cluster.start();
    const objects = EACH_ENVIRONMENT.flatMap(([, environment]) => environment.objects);
    await cluster.install(crdsOf(new Set(objects.map((object) => `${groupOf(object)}/${object.kind}`))));
  });
  afterAll(() => cluster.stop());

  describe.each(EACH_ENVIRONMENT)('with %s', (_, environment) => {
    const files = filesOf(environment);

    beforeAll(() => provideSurroundings(cluster, environment));
    afterAll(() => removeAll(cluster, environment));

    test('accepts every file, without a warning', async () => {
      expect(await applied(cluster, files)).toEqual([]);
    });

    test('creates the pods', async () => {
      // What is still missing after a while is said below, with the reason.
      await until(`${environment.name} has its pods`, async () => {
        const missing = await podsMissing(cluster, environment.objects);
        return missing.length === 0;
      }).catch(() => undefined);
      expect(await podsMissing(cluster, environment.objects)).toEqual([]);
    });

    test('has every field as it is in the file, and is not changed when the same is applied again', async () => {
      for (const [object, text] of files) {
        const { body } = await cluster.read(object);
        expect(differences(object, body)).toEqual([]);
        expect(desired((await cluster.apply(object, text)).body)).toEqual(desired(body));
      }
    });
  });

  test('would refuse a field that it does not know, warn of pods that are not restricted, and tell what differs', async () => {
    await cluster.provide(namespace('odd', { 'pod-security.kubernetes.io/warn': 'restricted' }));
    const refused = await apply(cluster, unrestricted('odd', { replica: 1 }));
    expect([refused.status, refused.body.message]).toEqual([500, expect.stringContaining('.spec.replica')]);
    const warned = await apply(cluster, unrestricted('odd', { replicas: 1 }));
    expect([warned.status, warned.warnings]).toEqual([201, [expect.stringContaining('would violate PodSecurity')]]);
    expect(differences(unrestricted('odd', { replicas: 2, paused: true }), warned.body)).toEqual([
      'Deployment odd/api: .spec.replicas is 2 in the file, and 1 in the cluster',
      'Deployment odd/api: .spec.paused is true in the file, and undefined in the cluster',
    ]);
  });

  test('would miss pods that Pod Security refuses, and say why', async () => {
    await cluster.provide(namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' }));
    const deployment = unrestricted('strict', { replicas: 2 });
    await cluster.provide(deployment);
    await until('it is said why', async () => (await podsMissing(cluster, [deployment])).join().includes(';'));
    expect(await podsMissing(cluster, [deployment])).toEqual([
      expect.stringMatching(/^Deployment strict\/api: has 0 pods of 2; .*violates PodSecurity "restricted:latest"/),
    ]);
  });
});

/** A Deployment whose pods are not restricted. */
function unrestricted(namespace: string, spec: Json): ManifestObject {
  const labels = { app: 'api' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'api', image: 'api' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

function apply(cluster: ControlPlane, object: ManifestObject) {
  return cluster.apply(object, JSON.stringify(object));
}

/** The files of an environment in the order in which Argo CD applies them: by sync wave, and what others need first. */
function filesOf({ objects, files }: TestedEnvironment): File[] {
  const texts = [...files.values()];
  const first = ['Namespace', 'ServiceAccount', 'Secret', 'ConfigMap'];
  const rank = ({ kind }: ManifestObject) => (first.includes(kind) ? first.indexOf(kind) : first.length);
  const wave = ({ metadata }: ManifestObject) => Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0);
  return objects
    .map((object, index): File => [object, texts[index] as string])
    .sort(([a], [b]) => wave(a) - wave(b) || rank(a) - rank(b));
}

/** Applies files one after the other; what is refused or warned of, object by object. */
async function applied(cluster: ControlPlane, files: readonly File[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [object, text] of files) {
    const { status, body, warnings } = await cluster.apply(object, text);
    const refusal = status === 200 || status === 201 ? [] : [body.message];
    problems.push(...[...refusal, ...warnings].map((problem) => `${nameOf(object)}: ${problem}`));
  }
  return problems;
}

function namespace(name: string, labels: { readonly [label: string]: string } = {}): ManifestObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** Provides what an environment expects to be in the cluster, and pods are not created without. */
async function provideSurroundings(cluster: ControlPlane, { objects }: TestedEnvironment): Promise<void> {
  for (const name of namespacesOf(objects)) {
    await cluster.absence(namespace(name));
    await cluster.provide(namespace(name));
  }
  const own = new Set(objects.map(nameOf));
  for (const { owner, spec } of objects.flatMap(renderedPods)) {
    const needed: (ManifestObject | undefined)[] = [
      spec.priorityClassName && {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: spec.priorityClassName },
        value: 1000,
      },
      spec.runtimeClassName && {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name: spec.runtimeClassName },
        handler: spec.runtimeClassName,
      },
      spec.serviceAccountName && {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: spec.serviceAccountName, namespace: owner.metadata.namespace },
      },
    ];
    for (const object of needed.filter((one) => one !== undefined && !own.has(nameOf(one)))) {
      await cluster.provide(object as ManifestObject);
    }
  }
}

/** Leaves nothing in the way of other environments; those that use the same namespaces wait until they are gone. */
async function removeAll(cluster: ControlPlane, { objects }: TestedEnvironment): Promise<void> {
  const unbound = objects.filter(({ kind, metadata }) => metadata.namespace === undefined && kind !== 'Namespace');
  const namespaces = namespacesOf(objects).map((name) => namespace(name));
  await Promise.all([...namespaces, ...unbound].map((object) => cluster.remove(object)));
}

function namespacesOf(objects: readonly ManifestObject[]): string[] {
  const named = objects.flatMap(({ kind, metadata }) =>
    kind === 'Namespace' ? metadata.name : (metadata.namespace ?? []),
  );
  return [...new Set(named)].filter((name) => !['default', 'kube-system'].includes(name));
}

/** Workloads without their pods, and why. */
async function podsMissing(cluster: ControlPlane, objects: readonly ManifestObject[]): Promise<string[]> {
  const events = await cluster.list('/api/v1/events');
  const missing = await Promise.all(
    objects.map(async (object) => {
      const wants = podsWanted(object, objects);
      const { status = {} } = wants === 0 ? {} : (await cluster.read(object)).body;
      const has = (object.kind === 'Job' ? status.active : status.replicas) ?? 0;
      return has === wants ? [] : [`${nameOf(object)}: has ${has} pods of ${wants}${reasonsIn(events, object)}`];
    }),
  );
  return missing.flat();
}

/**
 * How many pods an object has while none is ready: there are no nodes, so a StatefulSet that starts them in order waits for
 * the first one. An autoscaler that knows no metric sees to its minimum.
 */
function podsWanted(object: ManifestObject, objects: readonly ManifestObject[]): number {
  const { kind, metadata, spec } = object;
  const scaler = objects.find(
    (other) => other.kind === 'HorizontalPodAutoscaler' && other.spec.scaleTargetRef.name === metadata.name,
  );
  const replicas = spec?.replicas ?? scaler?.spec.minReplicas ?? 1;
  switch (kind) {
    case 'Deployment':
      return replicas;
    case 'StatefulSet':
      return spec.podManagementPolicy === 'Parallel' ? replicas : Math.min(replicas, 1);
    case 'Job':
      return Math.min(spec.parallelism ?? 1, spec.completions ?? 1);
    default:
      return 0;
  }
}

/** Why pods of an object, or of what it owns, were not created. */
function reasonsIn(events: readonly Json[], { metadata }: ManifestObject): string {
  return events
    .filter(({ reason, involvedObject }) => reason === 'FailedCreate' && involvedObject.name.startsWith(metadata.name))
    .map(({ message }) => `; ${message}`)
    .join('');
}

/** Every field of an object that the cluster has otherwise. */
function differences(object: ManifestObject, live: Json): string[] {
  const { apiVersion, kind, metadata, ...fields } = object;
  return fieldDifferences({ metadata, ...fields }, live).map((difference) => `${nameOf(object)}: ${difference}`);
}

function fieldDifferences(meant: Json, live: Json, path = ''): string[] {
  if (Array.isArray(meant) && Array.isArray(live) && meant.length === live.length) {
    return meant.flatMap((entry, index) => fieldDifferences(entry, live[index], `${path}[${index}]`));
  }
  if (isMap(meant) && isMap(live)) {
    return Object.entries(meant).flatMap(([key, value]) => fieldDifferences(value, live[key], `${path}.${key}`));
  }
  return isDeepStrictEqual(meant, live)
    ? []
    : [`${path} is ${JSON.stringify(meant)} in the file, and ${JSON.stringify(live)} in the cluster`];
}

function isMap(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What of an object is not its state, nor when and by whom it was written. */
function desired({ status: _, metadata, ...rest }: Json): Json {
  const { managedFields: __, resourceVersion: ___, ...others } = metadata ?? {};
  return { ...rest, metadata: others };
}
