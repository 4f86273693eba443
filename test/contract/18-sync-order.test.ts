import type { Json, ManifestObject } from '../../constructs/rules/output';
import { Connectivity } from '../support/connectivity';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { matches, type Pods, podsOf } from '../support/pods';

/** What Argo CD 3.5 calls Degraded for a while, or for days, though everything works. */
const OFTEN_DEGRADED = ['CronJob', 'HorizontalPodAutoscaler', 'ScaledObject'];

const annotation = ({ metadata }: ManifestObject, name: string) => metadata.annotations?.[`argocd.argoproj.io/${name}`];
const waveOf = (object: ManifestObject) => Number(annotation(object, 'sync-wave') ?? 0);
const isHook = (object: ManifestObject) => annotation(object, 'hook') !== undefined;
const isPrunedLast = (object: ManifestObject) =>
  (annotation(object, 'sync-options') ?? '').split(',').includes('PruneLast=true');
const titleOf = ({ kind, metadata }: ManifestObject) => `${kind}/${metadata.name}`;

/** Names of Secrets that something refers to, however deep. */
function secretsIn(value: Json): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const own = [
    value.secretKeyRef?.name,
    value.secret?.secretName,
    ...(value.projected?.sources ?? []).map(({ secret }: Json) => secret?.name),
    value.tls?.secretName,
  ];
  return [...own.filter((name) => name !== undefined), ...Object.values(value).flatMap((part) => secretsIn(part))];
}

/** Objects that create a Secret of one of these names. */
function makersOf(secrets: string[], objects: ManifestObject[]): ManifestObject[] {
  return objects.filter(
    ({ kind, metadata, spec }) =>
      (kind === 'ExternalSecret' && secrets.includes(metadata.name)) ||
      (kind === 'Certificate' && secrets.includes(spec.secretName)),
  );
}

/** Pods that other pods of the output may connect to, or a route leads to. */
function withClients(objects: ManifestObject[]): Pods[] {
  const all = [...podsOf(objects), ...operatedPods(objects)];
  const connectivity = new Connectivity(objects);
  const routed = objects.flatMap(({ kind, spec }) => {
    const rules: Json[] = kind === 'Ingress' || kind === 'HTTPRoute' ? (spec.rules ?? []) : [];
    return rules.flatMap(({ backendRefs = [], http }) => [
      ...backendRefs.map(({ name }: Json) => name),
      ...(http?.paths ?? []).map(({ backend }: Json) => backend.service.name),
    ]);
  });
  return all.filter((to) => {
    const others = all.filter(({ name, owner }) => name !== to.name && owner !== to.owner);
    const ports = connectivity.rulesOf(to, 'ingress').map(({ port }) => port);
    const called = others.some((from) => ports.some((port) => connectivity.allowed(from, to, port)));
    return called || servicesOf(to, objects).some(({ metadata }) => routed.includes(metadata.name));
  });
}

function servicesOf({ labels }: Pods, objects: ManifestObject[]): ManifestObject[] {
  return objects.filter(({ kind, spec }) => kind === 'Service' && matches(labels, { matchLabels: spec.selector }));
}

/** What pods are made of, and what leads to them. */
function neededBy(pods: Pods, objects: ManifestObject[]): ManifestObject[] {
  const { owner, labels, spec } = pods;
  const volumes: Json[] = spec.volumes ?? [];
  const named = (kind: string, name: string | undefined) =>
    objects.filter((object) => object.kind === kind && object.metadata.name === name);
  return [
    owner,
    ...servicesOf(pods, objects),
    ...objects.filter((object) => object.kind === 'NetworkPolicy' && matches(labels, object.spec.podSelector)),
    ...named('ServiceAccount', spec.serviceAccountName),
    ...volumes.flatMap(({ configMap, persistentVolumeClaim }) => [
      ...named('ConfigMap', configMap?.name),
      ...named('PersistentVolumeClaim', persistentVolumeClaim?.claimName),
    ]),
    ...makersOf([...secretsIn(spec), ...secretsIn(owner.spec)], objects),
  ];
}

test('environments have autoscalers, CronJobs and hooks', () => {
  const all = ENVIRONMENTS.flatMap(({ objects }) => objects);
  for (const kind of OFTEN_DEGRADED) {
    expect(all.filter((object) => object.kind === kind).length).toBeGreaterThan(1);
  }
  expect(all.filter(isHook).length).toBeGreaterThan(1);
});

describe.each(EACH_ENVIRONMENT)('%s', (_, { objects }) => {
  test('nothing waits behind what Argo CD may report Degraded', () => {
    const degraded = objects.filter(({ kind }) => OFTEN_DEGRADED.includes(kind));
    const first = Math.min(Number.POSITIVE_INFINITY, ...degraded.map(waveOf));
    const waiting = objects.filter((object) => waveOf(object) > first || (waveOf(object) === first && isHook(object)));
    expect(waiting.map(titleOf)).toEqual([]);
    expect(
      objects.filter((object) => ['PostSync', 'SyncFail'].includes(annotation(object, 'hook') ?? '')).map(titleOf),
    ).toEqual([]);
  });

  test('nothing that clients still use is pruned before they have moved', () => {
    const used = withClients(objects);
    expect(used.length).toBeGreaterThan(0);
    const tooEarly = used
      .flatMap((pods) => neededBy(pods, objects))
      .filter((object) => !isHook(object) && !isPrunedLast(object));
    expect(tooEarly.map(titleOf)).toEqual([]);
    const ways = objects.filter(({ kind }) => ['Ingress', 'HTTPRoute', 'Gateway', 'Namespace'].includes(kind));
    expect(ways.filter((object) => !isPrunedLast(object)).map(titleOf)).toEqual([]);
  });

  test('an object without clients is pruned when its wave comes', () => {
    const used = withClients(objects).map(({ name }) => name);
    const unused = podsOf(objects).filter(({ name, owner }) => !used.includes(name) && !isHook(owner));
    const autoscalers = objects.filter(({ kind }) => OFTEN_DEGRADED.includes(kind));
    const late = [...unused.map(({ owner }) => owner), ...autoscalers].filter(isPrunedLast);
    expect(late.map(titleOf)).toEqual([]);
  });

  test('the maker of a Secret is healthy before its readers are applied', () => {
    const read = [...podsOf(objects), ...operatedPods(objects)].flatMap(({ owner, spec }) =>
      makersOf([...secretsIn(spec), ...secretsIn(owner.spec)], objects).map((maker) => ({ owner, maker })),
    );
    const late = read.filter(({ owner, maker }) => waveOf(maker) >= waveOf(owner));
    expect(late.map(({ owner, maker }) => `${titleOf(maker)} for ${titleOf(owner)}`)).toEqual([]);
  });
});
