import { App } from 'cdk8s';
import { type ExternalReference, ExternalReferences } from '../../constructs/rules/external-references';
import { type Json, type ManifestObject, Output, RenderedObjects } from '../../constructs/rules/output';
import type { Rule } from '../../constructs/rules/rule';

/** Every kind that creates pods; an object of each must be judged alike. */
export const POD_KINDS = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Rollout',
  'Job',
  'CronJob',
  'ScaledJob',
  'Pod',
];

/** Labels of the pods of {@link workload}, by which they are selected. */
export const LABELS = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' };

const API_VERSIONS: { readonly [kind: string]: string } = {
  Certificate: 'cert-manager.io/v1',
  CronJob: 'batch/v1',
  DaemonSet: 'apps/v1',
  Deployment: 'apps/v1',
  ExternalSecret: 'external-secrets.io/v1',
  Gateway: 'gateway.networking.k8s.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Ingress: 'networking.k8s.io/v1',
  Job: 'batch/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  PodDisruptionBudget: 'policy/v1',
  ReplicaSet: 'apps/v1',
  Rollout: 'argoproj.io/v1alpha1',
  ScaledJob: 'keda.sh/v1alpha1',
  ScaledObject: 'keda.sh/v1alpha1',
  SecretStore: 'external-secrets.io/v1',
  StatefulSet: 'apps/v1',
  TriggerAuthentication: 'keda.sh/v1alpha1',
};

/** An object of the namespace "test"; fields replace its own, metadata is added to. */
export function manifest(kind: string, name: string, { metadata, ...fields }: Json = {}): ManifestObject {
  return {
    apiVersion: API_VERSIONS[kind] ?? 'v1',
    kind,
    metadata: { name, namespace: 'test', ...metadata },
    ...fields,
  };
}

/** A container that breaks no rule; changes replace its fields. */
export function container(changes: Json = {}): Json {
  return {
    name: 'api',
    image: 'ghcr.io/acme/api:1.2.3',
    resources: {
      requests: { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '64Mi' },
      limits: { memory: '1Gi', 'ephemeral-storage': '64Mi' },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    ...changes,
  };
}

/** What a {@link workload} has besides what every good one has. */
export interface WorkloadChanges {
  /** Fields of the pods' specification that replace those of a good one. */
  readonly pod?: Json;
  /** Fields of the object's specification, beside its pods. */
  readonly spec?: Json;
  /** Fields of the object's metadata. */
  readonly metadata?: Json;
  /** Labels of the pods. */
  readonly labels?: { readonly [label: string]: string };
}

/** An object of this kind whose pods break no rule. */
export function workload(kind: string, changes: WorkloadChanges = {}): ManifestObject {
  const { pod, spec, metadata, labels = LABELS } = changes;
  const podSpec = {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 30,
    containers: [container()],
    ...pod,
  };
  if (kind === 'Pod') {
    return manifest(kind, 'api', { metadata: { labels, ...metadata }, spec: podSpec });
  }
  return manifest(kind, 'api', {
    metadata,
    spec: { ...holding(kind, { metadata: { labels }, spec: podSpec }), ...spec },
  });
}

function holding(kind: string, template: Json): Json {
  switch (kind) {
    case 'CronJob':
      return { jobTemplate: { spec: { template } } };
    case 'ScaledJob':
      return { jobTargetRef: { template } };
    default:
      return { template };
  }
}

/** What is around the objects that are judged. */
export interface Surroundings {
  /** Other objects of the same chart. */
  readonly besides?: ManifestObject[];
  /** Objects of other charts of the app. */
  readonly elsewhere?: ManifestObject[];
  /** What is declared to be in the cluster. */
  readonly external?: ExternalReference[];
}

/** What a rule finds in these objects. */
export function problemsOf(rule: Rule, own: ManifestObject[], surroundings: Surroundings = {}): string[] {
  const { besides = [], elsewhere = [], external = [] } = surroundings;
  const references = ExternalReferences.of(new App());
  for (const reference of external) {
    references.declare(reference);
  }
  const objects = new RenderedObjects([...own, ...besides, ...elsewhere]);
  return rule.check(new Output(objects, own, references));
}
