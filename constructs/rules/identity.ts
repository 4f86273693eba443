import { labelsText } from './external-references';
import { objectNameProblem } from './object-name';
import { groupOf, type ManifestObject, nameOf, type Output } from './output';
import type { Rule } from './rule';

const SELECTOR_LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/instance'];

/** Kinds without namespace that a system like this one holds; every other kind is namespaced. */
const CLUSTER_SCOPED = [
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'StorageClass',
  'PriorityClass',
  'RuntimeClass',
  'IngressClass',
  'PersistentVolume',
  'CustomResourceDefinition',
  'GatewayClass',
  'ClusterIssuer',
  'ClusterSecretStore',
  'ClusterExternalSecret',
  'ClusterTriggerAuthentication',
  'VolumeSnapshotClass',
];

/** Names, namespaces and selectors: what an object is, for as long as it lives. */
export const identity: Rule = {
  name: 'names are unique and valid, and selectors never change',
  check: (output) => [
    ...duplicates(output),
    ...output.own.flatMap((object) => [...badName(object), ...badNamespace(object), ...badSelector(output, object)]),
  ],
};

function duplicates(output: Output): string[] {
  const counts = new Map(
    output.own.map((object) => [`${groupOf(object)} ${nameOf(object)}`.trim(), output.alike(object).length]),
  );
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => `${count} objects are ${name}; give all but one another name`);
}

function badName(object: ManifestObject): string[] {
  const problem = objectNameProblem(object.metadata.name, object.kind);
  return problem === undefined ? [] : [`${object.kind}: metadata.name ${problem}`];
}

function badNamespace(object: ManifestObject): string[] {
  const { namespace } = object.metadata;
  if (CLUSTER_SCOPED.includes(object.kind)) {
    return namespace === undefined ? [] : [`${nameOf(object)}: is cluster-scoped and must have no namespace`];
  }
  return namespace === undefined ? [`${nameOf(object)}: metadata.namespace is missing; set it on the chart`] : [];
}

/** Kinds that select the pods of others, and may select others tomorrow. */
const OBSERVERS = ['PodMonitor'];

function badSelector(output: Output, object: ManifestObject): string[] {
  if (OBSERVERS.includes(object.kind) || selectsOperated(output, object)) {
    return [];
  }
  const selectors = [object.spec?.selector?.matchLabels, object.kind === 'Service' ? object.spec?.selector : undefined];
  const foreign = selectors
    .flatMap((selector) => Object.keys(selector ?? {}))
    .filter((label) => !SELECTOR_LABELS.includes(label));
  const claims: { metadata: { name: string; labels?: object } }[] = object.spec?.volumeClaimTemplates ?? [];
  const labelled = claims.filter((claim) => claim.metadata.labels !== undefined);
  return [
    ...foreign.map(
      (label) => `${nameOf(object)}: selects by ${label}; select by ${SELECTOR_LABELS.join(' and ')} only`,
    ),
    ...labelled.map(
      ({ metadata }) => `${nameOf(object)}: claim template ${metadata.name} has labels; it cannot change later`,
    ),
  ];
}

/** Whether a budget is for pods that an operator creates, with labels of its own, and that are declared by them. */
function selectsOperated(output: Output, { kind, metadata: { namespace }, spec }: ManifestObject): boolean {
  const labels = spec?.selector?.matchLabels;
  return (
    kind === 'PodDisruptionBudget' &&
    labels !== undefined &&
    output.external.includes({ kind: 'Pod', namespace, name: labelsText(labels) })
  );
}
