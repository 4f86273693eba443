import type { ExternalReferences } from './external-references';

/** Part of a rendered object, of which only the shape of JSON is known. */
// biome-ignore lint/suspicious/noExplicitAny: rules read objects of every kind, the user's own among them
export type Json = any;

/** A rendered API object. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: { readonly [label: string]: string };
    readonly annotations?: { readonly [annotation: string]: string };
  };
  readonly [field: string]: Json;
}

/** The pods that an object creates. */
export interface RenderedPods {
  /** The object that creates them. */
  readonly owner: ManifestObject;
  /** Labels of the pods. */
  readonly labels: { readonly [label: string]: string };
  /** Annotations of the pods. */
  readonly annotations: { readonly [annotation: string]: string };
  /** Specification of the pods. */
  readonly spec: Json;
  /** Every container of the pods, init containers included. */
  readonly containers: Json[];
}

/** Where each kind keeps its pod template. */
const TEMPLATE_OF: { readonly [kind: string]: (object: ManifestObject) => Json } = {
  Deployment: (object) => object.spec?.template,
  StatefulSet: (object) => object.spec?.template,
  DaemonSet: (object) => object.spec?.template,
  ReplicaSet: (object) => object.spec?.template,
  Rollout: (object) => object.spec?.template,
  Job: (object) => object.spec?.template,
  CronJob: (object) => object.spec?.jobTemplate?.spec?.template,
  ScaledJob: (object) => object.spec?.jobTargetRef?.template,
  Pod: (object) => object,
};

/** What the rules look at: one chart, in the middle of its app. */
export class Output {
  /** The pods of every object of the app. */
  public readonly pods: RenderedPods[];
  /** The pods of the objects that are judged. */
  public readonly ownPods: RenderedPods[];

  public constructor(
    /** Every object of the app, in which references may lead. */
    public readonly all: ManifestObject[],
    /** Every object of the chart. */
    public readonly chart: ManifestObject[],
    /** The objects that are judged: those that this library created. */
    public readonly own: ManifestObject[],
    /** What the objects may refer to without containing it. */
    public readonly external: ExternalReferences,
  ) {
    this.pods = all.flatMap((object) => renderedPods(object));
    this.ownPods = this.pods.filter(({ owner }) => own.includes(owner));
  }

  /** The object of this kind, name and namespace. */
  public find(kind: string, name: string, namespace: string | undefined): ManifestObject | undefined {
    return this.all.find(
      (object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
    );
  }

  /** The pods in a namespace that carry all these labels. */
  public select(namespace: string | undefined, labels: { readonly [label: string]: string }): RenderedPods[] {
    return this.pods.filter((pods) => pods.owner.metadata.namespace === namespace && carries(pods.labels, labels));
  }
}

/** The pods that an object creates; none for most kinds. */
export function renderedPods(owner: ManifestObject): RenderedPods[] {
  const template = TEMPLATE_OF[owner.kind]?.(owner);
  if (template?.spec === undefined) {
    return [];
  }
  const { spec, metadata } = template;
  return [
    {
      owner,
      labels: metadata?.labels ?? {},
      annotations: metadata?.annotations ?? {},
      spec,
      containers: [...(spec.initContainers ?? []), ...(spec.containers ?? [])],
    },
  ];
}

function carries(labels: { readonly [label: string]: string }, wanted: { readonly [label: string]: string }): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** How messages name an object. */
export function nameOf(object: ManifestObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
