import { type Json, type ManifestObject, nameOf, type Output, type RenderedPods } from './output';
import type { Rule } from './rule';

/** Whatever an object refers to is in the output or declared to be in the cluster. */
export const referencesResolve: Rule = {
  name: 'every reference resolves',
  check: (output) => [
    ...output.ownPods.flatMap((pods) => podReferences(output, pods)),
    ...output.own.flatMap((object) => objectReferences(output, object)),
  ],
};

interface Reference {
  readonly kind: string;
  readonly name: string | undefined;
  readonly namespace?: string;
  readonly key?: string;
}

function podReferences(output: Output, { owner, spec, containers }: RenderedPods): string[] {
  const { namespace } = owner.metadata;
  const volumes: Json[] = spec.volumes ?? [];
  const claimTemplates: Json[] = owner.spec.volumeClaimTemplates ?? [];
  const fromVolumes = volumes.flatMap((volume): Reference[] => [
    ...keysOf('ConfigMap', volume.configMap?.name, namespace, volume.configMap?.items),
    ...keysOf('Secret', volume.secret?.secretName, namespace, volume.secret?.items),
    ...one('PersistentVolumeClaim', volume.persistentVolumeClaim?.claimName, namespace),
  ]);
  const fromEnv = containers.flatMap((container) =>
    (container.env ?? []).flatMap(({ valueFrom }: Json): Reference[] => [
      ...one('Secret', valueFrom?.secretKeyRef?.name, namespace, valueFrom?.secretKeyRef?.key),
      ...one('ConfigMap', valueFrom?.configMapKeyRef?.name, namespace, valueFrom?.configMapKeyRef?.key),
    ]),
  );
  const pullSecrets: Json[] = spec.imagePullSecrets ?? [];
  const references = [
    ...fromVolumes,
    ...fromEnv,
    ...one('ServiceAccount', spec.serviceAccountName, namespace),
    ...one('RuntimeClass', spec.runtimeClassName),
    ...one('PriorityClass', spec.priorityClassName),
    ...pullSecrets.flatMap(({ name }) => one('Secret', name, namespace)),
    ...claimTemplates.flatMap((claim) => one('StorageClass', claim.spec.storageClassName)),
    ...(owner.kind === 'StatefulSet' ? one('Service', owner.spec.serviceName, namespace) : []),
  ];
  const known = [...volumes, ...claimTemplates.map(({ metadata }) => metadata)].map(({ name }) => name);
  const mounts = containers.flatMap((container) => container.volumeMounts ?? []);
  return [
    ...unresolved(output, owner, references),
    ...mounts
      .filter(({ name }) => !known.includes(name))
      .map(({ name }) => `${nameOf(owner)}: mounts ${name}, which is no volume`),
    ...containers.flatMap((container) => probePorts(owner, container)),
  ];
}

function probePorts(owner: ManifestObject, container: Json): string[] {
  const open = (container.ports ?? []).map(({ containerPort }: Json) => containerPort);
  return ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((probe) => {
    const { httpGet, tcpSocket, grpc } = container[probe] ?? {};
    const port = (httpGet ?? tcpSocket ?? grpc)?.port;
    return port === undefined || open.includes(port)
      ? []
      : [
          `${nameOf(owner)}: ${probe} of container ${container.name} asks port ${port}, which the container does not declare`,
        ];
  });
}

function objectReferences(output: Output, object: ManifestObject): string[] {
  const { namespace } = object.metadata;
  const { spec = {} } = object;
  const triggers: Json[] = spec.triggers ?? [];
  const backends: Json[] = [
    ...(spec.rules ?? []).flatMap((rule: Json) => rule.backendRefs ?? []),
    ...(spec.rules ?? []).flatMap((rule: Json) => (rule.http?.paths ?? []).map((path: Json) => path.backend.service)),
  ];
  const parents: Json[] = spec.parentRefs ?? [];
  const references: Reference[] = [
    ...one(spec.scaleTargetRef?.kind ?? 'Deployment', spec.scaleTargetRef?.name, namespace),
    ...triggers.flatMap((trigger) => one('TriggerAuthentication', trigger.authenticationRef?.name, namespace)),
    ...(spec.secretTargetRef ?? []).flatMap((target: Json) => one('Secret', target.name, namespace, target.key)),
    ...backends.flatMap((backend) => one('Service', backend.name, backend.namespace ?? namespace)),
    ...parents.flatMap((parent) => one(parent.kind ?? 'Gateway', parent.name, parent.namespace ?? namespace)),
    ...one('GatewayClass', spec.gatewayClassName),
    ...one('IngressClass', spec.ingressClassName),
    ...(spec.listeners ?? []).flatMap((listener: Json) =>
      (listener.tls?.certificateRefs ?? []).flatMap(({ name }: Json) => one('Secret', name, namespace)),
    ),
    ...(object.kind === 'Ingress' ? (spec.tls ?? []) : []).flatMap(({ secretName }: Json) =>
      one('Secret', secretName, namespace),
    ),
    ...storeOf(spec.secretStoreRef, namespace),
    ...issuerOf(spec.issuerRef, namespace),
  ];
  const selector = object.kind === 'PodDisruptionBudget' ? spec.selector.matchLabels : undefined;
  return [
    ...unresolved(output, object, references),
    ...backends.flatMap((backend) => backendPort(output, object, backend)),
    ...(selector !== undefined && output.select(namespace, selector).length === 0
      ? [`${nameOf(object)}: selects no pods of the output`]
      : []),
  ];
}

function storeOf(store: Json, namespace: string | undefined): Reference[] {
  return store?.kind === 'ClusterSecretStore'
    ? one(store.kind, store.name)
    : one('SecretStore', store?.name, namespace);
}

function issuerOf(issuer: Json, namespace: string | undefined): Reference[] {
  return issuer?.kind === 'ClusterIssuer' ? one(issuer.kind, issuer.name) : one('Issuer', issuer?.name, namespace);
}

function backendPort(output: Output, object: ManifestObject, backend: Json): string[] {
  const service = output.find('Service', backend.name, backend.namespace ?? object.metadata.namespace);
  const port = backend.port?.number ?? backend.port;
  const ports: Json[] = service?.spec.ports ?? [];
  return service === undefined || ports.some((candidate) => candidate.port === port)
    ? []
    : [`${nameOf(object)}: leads to port ${port} of ${nameOf(service)}, which has no such port`];
}

function one(kind: string, name: string | undefined, namespace?: string, key?: string): Reference[] {
  return name === undefined ? [] : [{ kind, name, namespace, key }];
}

function keysOf(
  kind: string,
  name: string | undefined,
  namespace: string | undefined,
  items: Json[] | undefined,
): Reference[] {
  return items === undefined ? one(kind, name, namespace) : items.flatMap(({ key }) => one(kind, name, namespace, key));
}

function unresolved(output: Output, object: ManifestObject, references: Reference[]): string[] {
  return references
    .filter((reference) => !resolves(output, reference))
    .map(
      ({ kind, name, key }) =>
        `${nameOf(object)}: refers to ${kind} ${name}${key === undefined ? '' : ` key ${key}`}, which is neither in the ` +
        'output nor declared; create it, or declare it with ExternalReferences.of(chart).declare(…)',
    );
}

function resolves(output: Output, reference: Reference): boolean {
  const { kind, name, namespace, key } = reference;
  if (output.external.includes({ kind, name: name as string, namespace, key })) {
    return true;
  }
  if (kind === 'Secret') {
    return output.all.some((object) => createsSecret(object, reference));
  }
  const object = output.find(kind, name as string, namespace);
  return object !== undefined && (key === undefined || object.data?.[key] !== undefined);
}

/** Secrets come from an ExternalSecret, or from a Certificate with the keys that cert-manager writes. */
function createsSecret(object: ManifestObject, { name, namespace, key }: Reference): boolean {
  if (object.metadata.namespace !== namespace) {
    return false;
  }
  if (object.kind === 'ExternalSecret') {
    const data: Json[] = object.spec.data ?? [];
    const target = object.spec.target?.name ?? object.metadata.name;
    return target === name && (key === undefined || data.some(({ secretKey }) => secretKey === key));
  }
  return (
    object.kind === 'Certificate' &&
    object.spec.secretName === name &&
    ['tls.crt', 'tls.key', 'ca.crt', undefined].includes(key)
  );
}
