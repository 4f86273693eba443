import type { ChangeRule } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf, renderedPods } from '../rules/output';
import { MODEL_KEY } from './collection-model';
import { DRAIN_TO, drainName } from './qdrant-drain';

/** Which Qdrant of the app a rule is about. */
export interface QdrantIdentity {
  /** Namespace of its StatefulSet. */
  readonly namespace: string;
  /** Name of its StatefulSet. */
  readonly name: string;
}

/** A collection as a render describes it. */
interface RenderedCollection {
  /** The ConfigMap that describes it. */
  readonly source: ManifestObject;
  /** Name in the database. */
  readonly name: string;
  /** Numbers in a vector. */
  readonly size: number;
  /** How vectors are compared. */
  readonly distance: string;
  /** Model that makes them; undefined where nobody says. */
  readonly model?: string;
}

/** A release of Qdrant, without its patch. */
interface Release {
  readonly major: number;
  readonly minor: number;
}

/** File of the ConfigMap `<collection>-bootstrap` that says which collections there are to be. */
const COLLECTION_FILE = 'collection.json';

/** Collections keep their vectors, whoever describes them. */
const collectionsKeepTheirVectors: ChangeRule = {
  name: 'collections keep the size and the distance of their vectors',
  check: (before, after) => {
    const previous = collectionsIn(before);
    return [...collectionsIn(after)].flatMap(([key, collection]) => vectorProblem(previous.get(key), collection));
  },
  warn: (before, after) => {
    const previous = [...collectionsIn(before).values()];
    const described = [...collectionsIn(after).values()];
    return [...new Set(described.map(({ source }) => source))].flatMap((source) =>
      replacementWarning(
        source,
        previous.filter((collection) => nameOf(collection.source) === nameOf(source)),
        described.filter((collection) => collection.source === source),
      ),
    );
  },
};

/** Clients use a new, empty collection when none of those that were described is described any more. */
function replacementWarning(
  source: ManifestObject,
  before: readonly RenderedCollection[],
  after: readonly RenderedCollection[],
): string[] {
  const kept = after.some(({ name }) => before.some((other) => other.name === name));
  if (before.length === 0 || after.length === 0 || kept) {
    return [];
  }
  const [old, now] = [before, after].map((collections) => collections.map(({ name }) => `"${name}"`).join(', '));
  return [
    `${nameOf(source)}: ${old} was the collection, and ${now} is another, which begins empty, so that clients find nothing ` +
      'until it is filled; the old one stays in the database; to fill the new one first, keep the name and set next to ' +
      'the new collection, have it filled, and then set next.switched',
  ];
}

/** What a Qdrant and its collections cannot become from one render to the next. */
export function qdrantChanges(store: QdrantIdentity): ChangeRule[] {
  return [nodesAreDrained(store), releasesFollow(store), collectionsKeepTheirVectors];
}

/** A node that goes has been drained before, because its shards go with it. */
function nodesAreDrained(store: QdrantIdentity): ChangeRule {
  return {
    name: 'nodes are drained before they go',
    check: (before, after) => {
      const statefulSet = find(after, 'StatefulSet', store);
      const from = find(before, 'StatefulSet', store)?.spec?.replicas;
      const to = statefulSet?.spec?.replicas;
      const drained = drainedTo(before, store);
      if (statefulSet === undefined || !(to < from) || drained === to) {
        return [];
      }
      const instead = drained === undefined ? '' : ` and was drained to ${drained} only`;
      return [
        `${nameOf(statefulSet)}: had ${from} nodes${instead}, so with ${to} the shards of the others would be lost; ` +
          `keep nodes: ${from}, set drain: { to: ${to} }, sync, and wait for the Job ${drainName(store.name)}; then ` +
          `set nodes: ${to} without drain, sync, and delete the claims of the nodes that are gone, from ` +
          `storage-${store.name}-${to} on`,
      ];
    },
  };
}

/** The number of nodes that a render drains to; undefined when it drains none. */
function drainedTo(objects: readonly ManifestObject[], { namespace, name }: QdrantIdentity): number | undefined {
  const job = find(objects, 'Job', { namespace, name: drainName(name) });
  const to = job && variable(job, DRAIN_TO);
  return to === undefined ? undefined : Number(to);
}

/**
 * Releases follow one another without a gap (Qdrant docs, "Upgrades": no minor may be skipped), and never go
 * back, because an older one cannot read what a newer one wrote.
 */
function releasesFollow(store: QdrantIdentity): ChangeRule {
  return {
    name: 'Qdrant is upgraded one minor at a time',
    check: (before, after) => {
      const statefulSet = find(after, 'StatefulSet', store);
      const from = releaseOf(find(before, 'StatefulSet', store), store);
      const to = releaseOf(statefulSet, store);
      if (statefulSet === undefined || from === undefined || to === undefined) {
        return [];
      }
      return releaseProblem(from, to).map((problem) => `${nameOf(statefulSet)}: ${problem}`);
    },
  };
}

/** The release in an image's tag: v1.19.0-unprivileged is 1.19. A tag of another form says nothing. */
function releaseOf(object: ManifestObject | undefined, { name }: QdrantIdentity): Release | undefined {
  const image = object && mainContainer(object, name)?.image;
  const [, major, minor] = /:v?(\d+)\.(\d+)(?![\w])[^/]*$/.exec(String(image)) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

function releaseProblem(from: Release, to: Release): string[] {
  const majors = to.major - from.major;
  const change = `would go from Qdrant ${shown(from)} to ${shown(to)}`;
  if (majors < 0 || (majors === 0 && to.minor < from.minor)) {
    return [
      `${change}, but an older release cannot read the data of a newer one; stay at ${shown(from)}, or create another ` +
        'Qdrant of the older release and fill it anew',
    ];
  }
  const follows = majors === 0 ? to.minor <= from.minor + 1 : majors === 1 && to.minor === 0;
  return follows ? [] : [`${change}, but no release may be skipped; ${path(from, to)}, and sync after each`];
}

/** What to do instead of a jump. */
function path(from: Release, to: Release): string {
  if (from.major !== to.major) {
    const next = shown({ major: from.major + 1, minor: 0 });
    return `go to the last ${from.major}.x, then to ${next} and on, one minor at a time`;
  }
  const minors = Array.from({ length: to.minor - from.minor + 1 }, (_, step) => from.minor + step);
  return `go ${minors.map((minor) => shown({ major: from.major, minor })).join(' → ')}`;
}

function shown({ major, minor }: Release): string {
  return `${major}.${minor}`;
}

function vectorProblem(before: RenderedCollection | undefined, after: RenderedCollection): string[] {
  if (before === undefined || isSame(before, after)) {
    return [];
  }
  return [
    `${nameOf(after.source)}: collection "${after.name}" holds vectors of ${vectors(before)}, and the model makes ` +
      `vectors of ${vectors(after)}, which a collection can never change to; keep the model, set next ` +
      'to a collection of another name with the new model, ' +
      'have it filled, and then set next.switched',
  ];
}

function isSame(before: RenderedCollection, after: RenderedCollection): boolean {
  const sameModel = before.model === undefined || before.model === after.model;
  return before.size === after.size && before.distance === after.distance && sameModel;
}

function vectors({ size, distance, model }: RenderedCollection): string {
  return `${size} dimensions compared by ${distance}${model === undefined ? '' : ` of ${model}`}`;
}

/** Every collection that a render describes, by the database that it is in and its name. */
function collectionsIn(objects: readonly ManifestObject[]): Map<string, RenderedCollection> {
  const described = objects.filter(({ kind, data }) => kind === 'ConfigMap' && data?.[COLLECTION_FILE] !== undefined);
  return new Map(
    described.flatMap((source) => {
      const { name, namespace = '' } = source.metadata;
      const job = find(objects, 'Job', { namespace, name });
      const database = hostOf((job && variable(job, 'QDRANT_URL')) ?? '');
      return descriptions(source).map((collection): [string, RenderedCollection] => [
        [namespace, database, collection.name].join(' '),
        collection,
      ]);
    }),
  );
}

/** The collections in a ConfigMap; none when somebody has made something else of it. */
function descriptions(source: ManifestObject): RenderedCollection[] {
  return list(parsed(source.data[COLLECTION_FILE])?.collections).flatMap((collection) => {
    const { size, distance } = collection?.parameters?.vectors ?? {};
    const model = collection?.parameters?.metadata?.[MODEL_KEY];
    return typeof size === 'number'
      ? [{ source, name: String(collection.name), size, distance: String(distance), model }]
      : [];
  });
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a database speaks TLS does not make it another one. */
function hostOf(url: string): string {
  return url.replace(/^\w+:\/\//, '');
}

function find(
  objects: readonly ManifestObject[],
  kind: string,
  { namespace, name }: QdrantIdentity,
): ManifestObject | undefined {
  return objects.find(
    (object) =>
      object.kind === kind && object.metadata.name === name && (object.metadata.namespace ?? '') === namespace,
  );
}

/** The container that is named like its workload. */
function mainContainer(object: ManifestObject, name: string): Json {
  return renderedPods(object)
    .flatMap(({ containers }) => containers)
    .find((container) => container.name === name);
}

/** The value of a variable of a workload's main container. */
function variable(object: ManifestObject, name: string): string | undefined {
  return list(mainContainer(object, object.metadata.name)?.env).find((candidate) => candidate.name === name)?.value;
}

function list(value: Json): Json[] {
  return Array.isArray(value) ? value : [];
}
