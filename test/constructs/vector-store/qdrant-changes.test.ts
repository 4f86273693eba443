import { App, Chart, Size } from 'cdk8s';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { Cluster } from '../../../constructs/placement/cluster';
import { ChangeRules } from '../../../constructs/rules/change-rules';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { QdrantCollection, type QdrantCollectionProps } from '../../../constructs/vector-store/qdrant-collection';
import { Image } from '../../../constructs/workload/image';
import { find, render } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

/** Collections of a database, by their construct's id. */
type Collections = { readonly [id: string]: Omit<QdrantCollectionProps, 'store'> };

interface Rendered {
  readonly chart: Chart;
  readonly objects: ManifestObject[];
}

function rendered(props: Partial<QdrantProps> = {}, collections: Collections = {}, id = 'qdrant'): Rendered {
  const chart = new Chart(new App(), 'rag', { namespace: 'test' });
  new Cluster().attachTo(chart);
  const store = new Qdrant(chart, id, {
    nodes: 5,
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...props,
  });
  for (const [name, collection] of Object.entries(collections)) {
    new QdrantCollection(chart, name, { store, ...collection });
  }
  return { chart, objects: render(chart) };
}

/** What is wrong with the step from one to the other. */
function problems(before: Rendered | ManifestObject[], after: Rendered): string[] {
  const objects = Array.isArray(before) ? before : before.objects;
  return ChangeRules.of(after.chart).check(objects, after.objects);
}

/** The same objects with a change to one of them, as if made by hand. */
function changed(objects: ManifestObject[], kind: string, name: string, change: (object: Json) => void) {
  const copy: ManifestObject[] = JSON.parse(JSON.stringify(objects));
  change(find(copy, kind, name));
  return copy;
}

test('nothing is wrong with the first render, or with the same again', () => {
  const collections = { documents: { model: EmbeddingModel.BGE_M3 } };
  expect(problems([], rendered({}, collections))).toEqual([]);
  expect(problems(rendered({}, collections), rendered({}, collections))).toEqual([]);
});

describe('nodes', () => {
  test('may become more', () => {
    expect(problems(rendered({ nodes: 3 }), rendered({ nodes: 5 }))).toEqual([]);
  });

  test('may become fewer when they were drained to that number', () => {
    expect(problems(rendered({ drain: { to: 3 } }), rendered({ nodes: 3 }))).toEqual([]);
    expect(problems(rendered({ drain: { to: 1 }, replicationFactor: 1 }), rendered({ nodes: 1 }))).toEqual([]);
  });

  test('may be drained, and kept none the less', () => {
    expect(problems(rendered(), rendered({ drain: { to: 3 } }))).toEqual([]);
    expect(problems(rendered({ drain: { to: 3 } }), rendered())).toEqual([]);
  });

  test('that were not drained are not taken away, and the message says how they can be', () => {
    expect(problems(rendered(), rendered({ nodes: 3 }))).toEqual([
      'StatefulSet test/qdrant: had 5 nodes, so with 3 the shards of the others would be lost; keep nodes: 5, set ' +
        'drain: { to: 3 }, sync, and wait for the Job qdrant-drain; then set nodes: 3 without drain, sync, and delete ' +
        'the claims of the nodes that are gone, from storage-qdrant-3 on',
    ]);
  });

  test('that were drained to another number are not taken away', () => {
    const [problem, ...more] = problems(rendered({ drain: { to: 4 } }), rendered({ nodes: 3 }));
    expect(problem).toContain('had 5 nodes and was drained to 4 only, so with 3 the shards');
    expect(more).toEqual([]);
    expect(problems(rendered({ drain: { to: 3 } }), rendered({ nodes: 4 }))).toHaveLength(1);
  });

  test('that are drained in the same step as they go are not taken away', () => {
    expect(problems(rendered(), rendered({ nodes: 4, drain: { to: 3 } }))).toHaveLength(1);
  });

  test('of one database say nothing about those of another', () => {
    expect(problems(rendered({}, {}, 'other'), rendered({ nodes: 3 }))).toEqual([]);
    // Another one of the same name that stays where it is.
    const elsewhere = changed(rendered().objects, 'StatefulSet', 'qdrant', ({ metadata }) => {
      metadata.namespace = 'other';
    });
    const after = rendered({ nodes: 3 });
    const staying = { ...after, objects: [...after.objects, find(elsewhere, 'StatefulSet', 'qdrant')] };
    expect(problems(elsewhere, staying)).toEqual([]);
  });

  test('are not counted where somebody removed the number', () => {
    const before = changed(rendered().objects, 'StatefulSet', 'qdrant', ({ spec }) => {
      delete spec.replicas;
    });
    expect(problems(before, rendered({ nodes: 3 }))).toEqual([]);
  });
});

describe('the release', () => {
  const release = (tag: string, digest?: string) =>
    rendered({ image: Image.of('registry.acme.example:5000/qdrant/qdrant', { tag, digest }) });
  const step = (from: string, to: string) => problems(release(from), release(to));

  test.each([
    ['v1.18.2', 'v1.19.0-unprivileged'],
    ['v1.19.1', 'v1.19.0'],
    ['1.18', 'v1.18.5-gpu-nvidia'],
    ['v1.9.0', 'v1.10.0'],
    ['v1.19.0', 'v2.0.1'],
    ['v1.19.0', 'nightly-of-our-own'],
    ['our-1.16.0', 'v1.19.0'],
    ['v1.16x', 'v1.19.0'],
  ])('may go from %s to %s', (from, to) => {
    expect(step(from, to)).toEqual([]);
  });

  test.each([
    ['v1.16.0', 'v1.18.0-unprivileged', '1.16 to 1.18', '1.16 → 1.17 → 1.18'],
    ['v1.16.3-unprivileged', 'v1.19.0', '1.16 to 1.19', '1.16 → 1.17 → 1.18 → 1.19'],
    ['1.9', '1.11', '1.9 to 1.11', '1.9 → 1.10 → 1.11'],
  ])('may not go from %s to %s, and the message has the way', (from, to, change, way) => {
    expect(step(from, to)).toEqual([
      `StatefulSet test/qdrant: would go from Qdrant ${change}, but no release may be skipped; go ${way}, and sync after each`,
    ]);
  });

  test.each([
    ['v1.19.0', 'v2.1.0', '1.19 to 2.1', 1, '2.0'],
    ['v1.19.0', 'v3.0.0', '1.19 to 3.0', 1, '2.0'],
  ])('may not go from %s to %s, past a whole major', (from, to, change, last, next) => {
    expect(step(from, to)).toEqual([
      `StatefulSet test/qdrant: would go from Qdrant ${change}, but no release may be skipped; go to the last ` +
        `${last}.x, then to ${next} and on, one minor at a time, and sync after each`,
    ]);
  });

  test.each([
    ['v1.19.0', 'v1.18.2-unprivileged', '1.19 to 1.18', '1.19'],
    ['v2.0.0', 'v1.19.0', '2.0 to 1.19', '2.0'],
  ])('may not go back from %s to %s', (from, to, change, stay) => {
    expect(step(from, to)).toEqual([
      `StatefulSet test/qdrant: would go from Qdrant ${change}, but an older release cannot read the data of a newer ` +
        `one; stay at ${stay}, or create another Qdrant of the older release and fill it anew`,
    ]);
  });

  test('is read from an image with a digest too', () => {
    const digest = `sha256:${'1'.repeat(64)}`;
    expect(problems(release('v1.16.0', digest), release('v1.18.0', digest))).toHaveLength(1);
  });
});

describe('a collection', () => {
  const small = { model: EmbeddingModel.BGE_SMALL_EN_V1_5, name: 'docs' };
  const large = { model: EmbeddingModel.BGE_M3, name: 'docs' };

  const warnings = (before: Rendered, after: Rendered) =>
    ChangeRules.of(after.chart).warn(before.objects, after.objects);

  test.each([
    ['alone', { ...small, name: 'other' }],
    ['with its model', { ...large, name: 'other' }],
  ])('that is given another name %s begins empty, of which it is warned', (_, other) => {
    const [before, after] = [rendered({}, { documents: small }), rendered({}, { documents: other })];
    expect(problems(before, after)).toEqual([]);
    expect(warnings(before, after)).toEqual([
      'ConfigMap test/documents-bootstrap: "docs" was the collection, and "other" is another, which begins empty, so that ' +
        'clients find nothing until it is filled; the old one stays in the database; to fill the new one first, keep the ' +
        'name and set next to the new collection, have it filled, and then set next.switched',
    ]);
  });

  test('is not warned of where it stays, comes, or is followed by the next', () => {
    const next = { name: 'other', model: EmbeddingModel.BGE_M3 };
    const both = rendered({}, { documents: { ...small, aliases: ['live'], next } });
    const one = rendered({}, { documents: small });
    expect(warnings(one, one)).toEqual([]);
    expect(warnings(rendered(), one)).toEqual([]);
    expect(warnings(one, rendered())).toEqual([]);
    expect(warnings(one, both)).toEqual([]);
    expect(warnings(both, rendered({}, { documents: { ...large, name: 'other' } }))).toEqual([]);
  });

  test('keeps the size of its vectors', () => {
    expect(problems(rendered({}, { documents: small }), rendered({}, { documents: large }))).toEqual([
      'ConfigMap test/documents-bootstrap: collection "docs" holds vectors of 384 dimensions compared by Cosine of ' +
        'BAAI/bge-small-en-v1.5, and the model makes vectors of 1024 dimensions compared by Cosine of BAAI/bge-m3, which a ' +
        'collection can never change to; keep the model, set next to a collection of another name with the new model, have it filled, and then set next.switched',
    ]);
  });

  test('keeps the distance of its vectors', () => {
    const after = rendered({}, { documents: small });
    const before = changed(after.objects, 'ConfigMap', 'documents-bootstrap', ({ data }) => {
      data['collection.json'] = data['collection.json'].replace('Cosine', 'Dot');
    });
    expect(problems(before, after)).toEqual([
      expect.stringContaining(
        '384 dimensions compared by Dot of BAAI/bge-small-en-v1.5, and the model makes vectors of 384 dimensions compared by C',
      ),
    ]);
  });

  test('keeps its model, also when another one makes vectors of the same kind', () => {
    const alike = { model: EmbeddingModel.MULTILINGUAL_E5_LARGE, name: 'docs' };
    expect(problems(rendered({}, { documents: large }), rendered({}, { documents: alike }))).toEqual([
      expect.stringContaining(
        'holds vectors of 1024 dimensions compared by Cosine of BAAI/bge-m3, and the model makes vectors of 1024 ' +
          'dimensions compared by Cosine of intfloat/multilingual-e5-large, which a collection can never change to',
      ),
    ]);
  });

  test('that says nothing of its model may be of any', () => {
    const after = rendered({}, { documents: large });
    const before = changed(after.objects, 'ConfigMap', 'documents-bootstrap', ({ data }) => {
      const state = JSON.parse(data['collection.json']);
      delete state.collections[0].parameters.metadata;
      data['collection.json'] = JSON.stringify(state);
    });
    expect(problems(before, after)).toEqual([]);
  });

  test('is the same one whatever describes it, and however its database is spoken to', () => {
    expect(problems(rendered({}, { documents: small }), rendered({}, { others: large }))).toHaveLength(1);
    const tls = ServerCertificate.existing('qdrant-tls');
    const [plain, encrypted] = [{ nodes: 1 }, { nodes: 1, tls }];
    expect(problems(rendered(plain, { documents: small }), rendered(encrypted, { documents: large }))).toHaveLength(1);
    const named = { envPrefix: 'VECTORS' };
    expect(problems(rendered(named, { documents: small }), rendered({}, { documents: large }))).toHaveLength(1);
  });

  test('of another name or in another database has nothing to keep', () => {
    expect(
      problems(rendered({}, { documents: small }), rendered({}, { documents: { ...large, name: 'new' } })),
    ).toEqual([]);
    expect(problems(rendered({}, { documents: small }, 'old'), rendered({}, { documents: large }))).toEqual([]);
  });

  test('gives way to another one step by step', () => {
    const aliases = ['documents'];
    const next = { name: 'docs-2', model: EmbeddingModel.BGE_M3 };
    const steps = [
      rendered({}, { docs: { ...small, aliases } }),
      rendered({}, { docs: { ...small, aliases, next } }),
      rendered({}, { docs: { ...small, aliases, next: { ...next, switched: true } } }),
      rendered({}, { docs: { ...large, aliases, name: 'docs-2' } }),
    ];
    for (const [index, after] of steps.slice(1).entries()) {
      expect(problems(steps[index] as Rendered, after)).toEqual([]);
    }
    const back = rendered({}, { docs: { ...small, name: 'docs-2', aliases } });
    expect(problems(steps[3] as Rendered, back)).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{'],
    ['another JSON', '[]'],
    ['no list of collections', '{"collections": {}}'],
    ['collections without vectors', '{"collections": [null, {"name": "docs"}]}'],
  ])('cannot be compared where somebody made %s of it', (_, text) => {
    const before = changed(rendered({}, { documents: small }).objects, 'ConfigMap', 'documents-bootstrap', (object) => {
      object.data['collection.json'] = text;
    });
    expect(problems(before, rendered({}, { documents: large }))).toEqual([]);
  });
});

test('several databases of an app are each compared with themselves, and each collection once', () => {
  const both = (nodes: number, model: EmbeddingModel): Rendered => {
    const first = rendered({ nodes }, { documents: { model } });
    const store = new Qdrant(first.chart, 'archive', {
      resources: RESOURCES,
      storage: Size.gibibytes(50),
      apiKey: SecretKey.of('archive', 'api-key'),
    });
    new QdrantCollection(first.chart, 'old', { store, model: EmbeddingModel.BGE_M3, name: 'documents' });
    return { chart: first.chart, objects: render(first.chart) };
  };
  const found = problems(both(5, EmbeddingModel.BGE_SMALL_EN_V1_5), both(3, EmbeddingModel.BGE_M3));
  expect(found.map((problem) => problem.split(':')[0])).toEqual([
    'StatefulSet test/qdrant',
    'ConfigMap test/documents-bootstrap',
  ]);
});
