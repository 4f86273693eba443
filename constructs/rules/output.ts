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

/** Every object of an app, once rendered. */
export class RenderedObjects {
  /** The pods of all objects. */
  public readonly pods: readonly RenderedPods[];

  private readonly byName: Map<string, ManifestObject[]>;
  private readonly podsByNamespace: Map<string | undefined, RenderedPods[]>;

  public constructor(
    /** The objects. */
    public readonly all: readonly ManifestObject[],
  ) {
    this.pods = all.flatMap((object) => renderedPods(object));
    this.byName = grouped(all, ({ kind, metadata }) => `${kind} ${metadata.name}`);
    this.podsByNamespace = grouped(this.pods, ({ owner }) => owner.metadata.namespace);
  }

  /** The object of this kind, name and namespace. */
  public find(kind: string, name: string, namespace: string | undefined): ManifestObject | undefined {
    return this.byName.get(`${kind} ${name}`)?.find(({ metadata }) => metadata.namespace === namespace);
  }

  /** The objects of the same group, kind, name and namespace, in whatever version; the object itself is one. */
  public alike(object: ManifestObject): ManifestObject[] {
    const { kind, metadata } = object;
    const named = this.byName.get(`${kind} ${metadata.name}`) ?? [];
    return named.filter(
      (other) => other.metadata.namespace === metadata.namespace && groupOf(other) === groupOf(object),
    );
  }

  /** The pods in a namespace. */
  public podsIn(namespace: string | undefined): readonly RenderedPods[] {
    return this.podsByNamespace.get(namespace) ?? [];
  }
}

/** What the rules look at: the objects of one chart, in the middle of its app. */
export class Output {
  /** The pods of the objects that are judged. */
  public readonly ownPods: readonly RenderedPods[];

  /** @internal */
  public constructor(
    private readonly objects: RenderedObjects,
    /** The objects that are judged: those that this library created. */
    public readonly own: readonly ManifestObject[],
    /** What the objects may refer to without containing it. */
    public readonly external: ExternalReferences,
  ) {
    const judged = new Set(own);
    this.ownPods = objects.pods.filter(({ owner }) => judged.has(owner));
  }

  /** Every object of the app, in which references may lead. */
  public get all(): readonly ManifestObject[] {
    return this.objects.all;
  }

  /** The pods of every object of the app. */
  public get pods(): readonly RenderedPods[] {
    return this.objects.pods;
  }

  /** The object of this kind, name and namespace. */
  public find(kind: string, name: string, namespace: string | undefined): ManifestObject | undefined {
    return this.objects.find(kind, name, namespace);
  }

  /** The objects of the app that are the same one in the cluster; the object itself is one of them. */
  public alike(object: ManifestObject): ManifestObject[] {
    return this.objects.alike(object);
  }

  /** The pods in a namespace that carry all these labels. */
  public select(namespace: string | undefined, labels: { readonly [label: string]: string }): RenderedPods[] {
    return this.objects.podsIn(namespace).filter((pods) => carries(pods.labels, labels));
  }
}

function grouped<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [value]);
    } else {
      group.push(value);
    }
  }
  return groups;
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

/** The group of an object's API, in whatever version; empty for the core. */
export function groupOf({ apiVersion }: ManifestObject): string {
  return apiVersion.split('/').slice(0, -1).join();
}

/** How messages name an object. */
export function nameOf(object: ManifestObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
