import { labelsText } from './external-references';
import { type Json, type ManifestObject, nameOf, type Output, type RenderedPods } from './output';
import type { Rule } from './rule';

/** Whatever an object refers to is in the output or declared to be in the cluster. */
export const referencesResolve: Rule = {
  name: 'every reference resolves',
  check: (output) => [
    ...output.ownPods.flatMap((pods) => [...podReferences(output, pods), ...mounts(pods), ...probePorts(pods)]),
    ...output.own.flatMap((object) => [...objectReferences(output, object), ...backendPorts(output, object)]),
    ...output.own.flatMap((object) => budgetSelector(output, object)),
  ],
};

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly key?: string;
}

function podReferences(output: Output, pods: RenderedPods): string[] {
  const { owner, spec, containers } = pods;
  const { namespace } = owner.metadata;
  const inNamespace = (kind: string, name: string | undefined, key?: string) => one(kind, name, namespace, key);
  const references = [
    ...list(spec.volumes).flatMap((volume) => volumeReferences(volume, inNamespace)),
    ...containers.flatMap((container) => containerReferences(container, inNamespace)),
    ...list(spec.imagePullSecrets).flatMap(({ name }) => inNamespace('Secret', name)),
    ...list(owner.spec?.volumeClaimTemplates).flatMap((claim) => one('StorageClass', claim.spec?.storageClassName)),
    ...inNamespace('ServiceAccount', spec.serviceAccountName),
    ...one('RuntimeClass', spec.runtimeClassName),
    ...one('PriorityClass', spec.priorityClassName),
    ...(owner.kind === 'StatefulSet' ? inNamespace('Service', owner.spec.serviceName) : []),
  ];
  return unresolved(output, owner, references, [pods]);
}

type InNamespace = (kind: string, name: string | undefined, key?: string) => Reference[];

function volumeReferences(volume: Json, inNamespace: InNamespace): Reference[] {
  const { configMap, secret, persistentVolumeClaim, projected, csi } = volume;
  const files = (kind: string, name: string | undefined, source: Json): Reference[] =>
    source?.optional === true || name === undefined
      ? []
      : source.items === undefined
        ? inNamespace(kind, name)
        : list(source.items).flatMap(({ key }) => inNamespace(kind, name, key));
  return [
    ...files('ConfigMap', configMap?.name, configMap),
    ...files('Secret', secret?.secretName, secret),
    ...list(projected?.sources).flatMap((source) => [
      ...files('ConfigMap', source.configMap?.name, source.configMap),
      ...files('Secret', source.secret?.name, source.secret),
    ]),
    ...inNamespace('PersistentVolumeClaim', persistentVolumeClaim?.claimName),
    ...inNamespace('SecretProviderClass', csi?.volumeAttributes?.secretProviderClass),
  ];
}

function containerReferences({ env, envFrom }: Json, inNamespace: InNamespace): Reference[] {
  const required = (source: Json) => (source === undefined || source.optional === true ? {} : source);
  return [
    ...list(env).flatMap(({ valueFrom }) => {
      const secret = required(valueFrom?.secretKeyRef);
      const config = required(valueFrom?.configMapKeyRef);
      return [...inNamespace('Secret', secret.name, secret.key), ...inNamespace('ConfigMap', config.name, config.key)];
    }),
    ...list(envFrom).flatMap((source) => [
      ...inNamespace('Secret', required(source.secretRef).name),
      ...inNamespace('ConfigMap', required(source.configMapRef).name),
    ]),
  ];
}

function mounts({ owner, spec, containers }: RenderedPods): string[] {
  const claims = list(owner.spec?.volumeClaimTemplates).map(({ metadata }) => metadata.name);
  const known = [...list(spec.volumes).map(({ name }) => name), ...claims];
  return containers
    .flatMap(({ volumeMounts }) => list(volumeMounts))
    .filter(({ name }) => !known.includes(name))
    .map(({ name }) => `${nameOf(owner)}: mounts ${name}, which is no volume`);
}

function probePorts({ owner, containers }: RenderedPods): string[] {
  return containers.flatMap((container) => {
    const open = list(container.ports).flatMap(({ name, containerPort }) => [name, containerPort]);
    return ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((probe) => {
      const { httpGet, tcpSocket, grpc } = container[probe] ?? {};
      const port = (httpGet ?? tcpSocket ?? grpc)?.port;
      return port === undefined || open.includes(port)
        ? []
        : [
            `${nameOf(owner)}: ${probe} of container ${container.name} asks port ${port}, which the container does not declare`,
          ];
    });
  });
}

function objectReferences(output: Output, object: ManifestObject): string[] {
  const { namespace } = object.metadata;
  const { kind, spec = {} } = object;
  const references = [
    ...one(spec.scaleTargetRef?.kind ?? 'Deployment', spec.scaleTargetRef?.name, namespace),
    ...list(spec.triggers).flatMap(({ authenticationRef }) => authentication(authenticationRef, namespace)),
    ...list(spec.secretTargetRef).flatMap(({ name, key }) => one('Secret', name, namespace, key)),
    ...backendsOf(object).flatMap((backend) => one(backend.kind, backend.name, backend.namespace)),
    ...list(spec.parentRefs).flatMap((parent) =>
      one(parent.kind ?? 'Gateway', parent.name, parent.namespace ?? namespace),
    ),
    ...list(spec.listeners)
      .flatMap(({ tls }) => list(tls?.certificateRefs))
      .flatMap((secret) => one(secret.kind ?? 'Secret', secret.name, secret.namespace ?? namespace)),
    ...(kind === 'Ingress' ? list(spec.tls) : []).flatMap(({ secretName }) => one('Secret', secretName, namespace)),
    ...(kind === 'RoleBinding' ? roleReferences(object) : []),
    ...(kind === 'SecretStore' ? storeReferences(object) : []),
    ...(kind === 'PersistentVolumeClaim' ? one('StorageClass', spec.storageClassName) : []),
    ...one('GatewayClass', spec.gatewayClassName),
    ...one('IngressClass', spec.ingressClassName),
    ...scoped(spec.secretStoreRef, 'SecretStore', 'ClusterSecretStore', namespace),
    ...scoped(spec.issuerRef, 'Issuer', 'ClusterIssuer', namespace),
  ];
  return unresolved(output, object, references);
}

function authentication(reference: Json, namespace: string | undefined): Reference[] {
  return scoped(reference, 'TriggerAuthentication', 'ClusterTriggerAuthentication', namespace);
}

/** A reference to a kind that there is once in each namespace and once for the whole cluster. */
function scoped(reference: Json, kind: string, clusterKind: string, namespace: string | undefined): Reference[] {
  return reference?.kind === clusterKind ? one(clusterKind, reference.name) : one(kind, reference?.name, namespace);
}

/** Who gets what. */
function roleReferences({ metadata, roleRef, subjects }: ManifestObject): Reference[] {
  const accounts = list(subjects).filter(({ kind }) => kind === 'ServiceAccount');
  return [
    ...scoped(roleRef, 'Role', 'ClusterRole', metadata.namespace),
    ...accounts.flatMap(({ name, namespace }) => one('ServiceAccount', name, namespace ?? metadata.namespace)),
  ];
}

/** What a store logs in with, and whom it trusts. */
function storeReferences({ metadata: { namespace }, spec }: ManifestObject): Reference[] {
  const { aws, azurekv, gcpsm, vault }: Json = spec.provider ?? {};
  const accounts = [aws?.auth?.jwt, azurekv, gcpsm?.auth?.workloadIdentity, vault?.auth?.kubernetes];
  const { type, name, key }: Json = vault?.caProvider ?? {};
  return [
    ...accounts.flatMap((login) => one('ServiceAccount', login?.serviceAccountRef?.name, namespace)),
    ...one(type, name, namespace, key),
  ];
}

interface Backend {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly port: number | string | undefined;
}

/** Where an HTTPRoute or Ingress leads. */
function backendsOf({ kind, metadata, spec }: ManifestObject): Backend[] {
  const { namespace } = metadata;
  const services: Json[] = [
    ...(kind === 'Ingress' ? [spec.defaultBackend?.service] : []),
    ...(kind === 'Ingress'
      ? list(spec.rules)
          .flatMap(({ http }) => list(http?.paths))
          .map(({ backend }) => backend?.service)
      : []),
  ].filter((service) => service !== undefined);
  const references: Json[] =
    kind === 'HTTPRoute' ? list(spec.rules).flatMap(({ backendRefs }) => list(backendRefs)) : [];
  return [
    ...services.map(({ name, port }) => ({ kind: 'Service', name, namespace, port: port?.number ?? port?.name })),
    ...references.map((reference) => ({ kind: 'Service', namespace, port: undefined, ...reference })),
  ];
}

function backendPorts(output: Output, object: ManifestObject): string[] {
  return backendsOf(object).flatMap(({ kind, name, namespace, port }) => {
    const service = kind === 'Service' ? output.find(kind, name, namespace) : undefined;
    const open = list(service?.spec?.ports).flatMap((candidate) => [candidate.name, candidate.port]);
    return service === undefined || open.includes(port)
      ? []
      : [`${nameOf(object)}: leads to port ${port} of ${nameOf(service)}, which has no such port`];
  });
}

function budgetSelector(output: Output, object: ManifestObject): string[] {
  const selector = object.kind === 'PodDisruptionBudget' ? object.spec.selector?.matchLabels : undefined;
  const { namespace } = object.metadata;
  // Pods that an operator creates are declared.
  return selector === undefined ||
    output.select(namespace, selector).length > 0 ||
    output.external.includes({ kind: 'Pod', namespace, name: labelsText(selector) })
    ? []
    : [`${nameOf(object)}: selects no pods of the output`];
}

function one(kind: string, name: string | undefined, namespace?: string, key?: string): Reference[] {
  return name === undefined ? [] : [{ kind, name, namespace, key }];
}

function list(value: Json): Json[] {
  return Array.isArray(value) ? value : [];
}

/** What an object refers to in vain; a Secret that pods have to mount is there when one of these does. */
function unresolved(
  output: Output,
  object: ManifestObject,
  references: Reference[],
  readers?: RenderedPods[],
): string[] {
  return references
    .filter((reference) => !resolves(output, reference))
    .flatMap((reference) => {
      const { kind, name, namespace, key } = reference;
      const subject = `${nameOf(object)}: refers to ${kind} ${name}${key === undefined ? '' : ` key ${key}`}`;
      const mounted = kind === 'Secret' ? mountedSecret(output, reference) : undefined;
      if (mounted === undefined) {
        return [
          `${subject}, which is neither in the output nor declared; create it, or declare it with ` +
            'ExternalReferences.of(chart).declare(…)',
        ];
      }
      const className = mounted.metadata.name;
      return (readers ?? output.select(namespace, {})).some(({ spec }) => mountsClass(spec, className))
        ? []
        : [`${subject}, which exists only while its pods mount SecretProviderClass ${className}; mount it there`];
    });
}

function resolves(output: Output, reference: Reference): boolean {
  const { kind, name, namespace, key } = reference;
  const object = output.find(kind, name, namespace);
  return (
    output.external.includes(reference) ||
    (object !== undefined && (key === undefined || has(object, key))) ||
    (kind === 'Secret' && output.all.some((candidate) => createsSecret(candidate, reference)))
  );
}

/** The SecretProviderClass that creates a Secret for those who mount it. */
function mountedSecret(output: Output, { name, namespace, key }: Reference): ManifestObject | undefined {
  return output.all.find(
    ({ kind, metadata, spec }) =>
      kind === 'SecretProviderClass' &&
      metadata.namespace === namespace &&
      list(spec?.secretObjects).some(
        ({ secretName, data }) =>
          secretName === name && (key === undefined || list(data).some((entry) => entry.key === key)),
      ),
  );
}

function mountsClass(spec: Json, className: string): boolean {
  return list(spec.volumes).some(({ csi }) => csi?.volumeAttributes?.secretProviderClass === className);
}

function has({ data, stringData }: ManifestObject, key: string): boolean {
  return data?.[key] !== undefined || stringData?.[key] !== undefined;
}

/** Secrets come from an ExternalSecret, or from a Certificate with the keys that cert-manager writes. */
function createsSecret({ kind, metadata, spec }: ManifestObject, { name, namespace, key }: Reference): boolean {
  if (metadata.namespace !== namespace) {
    return false;
  }
  if (kind === 'ExternalSecret') {
    const keys = [
      ...list(spec.data).map(({ secretKey }) => secretKey),
      ...Object.keys(spec.target?.template?.data ?? {}),
    ];
    const anything = spec.dataFrom !== undefined || key === undefined;
    return (spec.target?.name ?? metadata.name) === name && (anything || keys.includes(key));
  }
  return (
    kind === 'Certificate' && spec.secretName === name && ['tls.crt', 'tls.key', 'ca.crt', undefined].includes(key)
  );
}
