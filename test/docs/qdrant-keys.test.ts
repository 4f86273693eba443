import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Environment } from '../../charts/environments/environment';
import { ChangeRules } from '../../constructs/rules/change-rules';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { EnvironmentFolder } from '../support/environment-folder';
import { env, find } from '../support/manifests';
import { podsOf } from '../support/pods';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

const PAGE = readFileSync(join(__dirname, '../../docs/vectors.md'), 'utf8');

/** The steps of a section, as they stand there: what each says of `qdrant`. */
function stepsOf(heading: string): Json[] {
  const [, rest = ''] = PAGE.split(`\n### ${heading}\n`);
  const [section = ''] = rest.split(/^##/m);
  return [...section.matchAll(/^ *```yaml\n([\s\S]*?)^ *```$/gm)].map(([, text = '']) => parse(text).qdrant);
}

interface Step {
  readonly objects: ManifestObject[];
  /** What the change from another step would break. */
  readonly after: (before: Step) => string[];
}

function step(qdrant: Json, nodes = 3): Step {
  folder.write({
    'keys.yaml': stringify({
      namespace: 'rag',
      cluster: { reloader: true },
      qdrant: {
        nodes,
        resources: { cpu: 1, memory: '1Gi' },
        storage: '10Gi',
        snapshots: { daily: '02:30', keep: 1 },
        ...qdrant,
      },
      embeddingModel: 'BAAI/bge-m3',
      collection: { name: 'documents' },
      api: { image: { repository: 'acme.example/api', tag: '1' } },
      queue: { redis: { resources: { cpu: 1, memory: '1Gi' } } },
      embeddingWorkers: { image: { repository: 'acme.example/workers', tag: '1' }, command: ['work'] },
    }),
  });
  let rules: ChangeRules | undefined;
  const { objects } = Environment.read(folder.pathOf('keys.yaml')).render('keys', (platform) => {
    rules = ChangeRules.of(platform);
  });
  return { objects, after: (before) => rules?.check(before.objects, objects) ?? ['no rules'] };
}

/** Which key has signed each token, which no rendered object says. */
const SIGNED_WITH: { readonly [token: string]: string } = {
  'client-token': 'api-key',
  'read-only-token': 'api-key',
  'client-token-2': 'api-key-2',
  'read-only-token-2': 'api-key-2',
};

const NODE = 'QDRANT__SERVICE__';

/** What the nodes of a step show to each other, and whether they let somebody in with a key or a token. */
function nodesOf({ objects }: Step) {
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');
  const keyOf = (name: string): string | undefined => env(statefulSet, `${NODE}${name}`)?.secretKeyRef.key;
  const config = parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
  const full = [keyOf('API_KEY'), keyOf('ALT_API_KEY')];
  const accepts = (shown: string): boolean =>
    full.includes(shown) ||
    keyOf('READ_ONLY_API_KEY') === shown ||
    (config.service.jwt_rbac === true && SIGNED_WITH[shown] !== undefined && full.includes(SIGNED_WITH[shown]));
  return { shows: keyOf('API_KEY') as string, accepts };
}

/** What clients of a step show, the programs of the library among them. */
function clientsOf({ objects }: Step): { readonly [client: string]: string } {
  return Object.fromEntries(
    podsOf(objects).flatMap(({ title, containers }) =>
      containers.flatMap(({ env = [] }) =>
        env
          .filter(({ name }: Json) => name === 'QDRANT_API_KEY')
          .map(({ valueFrom }: Json) => [title, valueFrom.secretKeyRef.key]),
      ),
    ),
  );
}

/** Everything that is refused while one step rolls out after the other: any node may be of either, and any client. */
function refusedBetween(before: Step, after: Step): string[] {
  const steps = [before, after];
  return steps.flatMap((server, index) =>
    steps.flatMap((shower) => {
      const { accepts } = nodesOf(server);
      const shown = [['nodes', nodesOf(shower).shows] as const, ...Object.entries(clientsOf(shower))];
      return shown.filter(([, key]) => !accepts(key)).map(([who, key]) => `${who} with ${key} by step ${index}`);
    }),
  );
}

const FIRST = {
  clientToken: { secret: 'qdrant', key: 'client-token' },
  readOnlyToken: { secret: 'qdrant', key: 'read-only-token' },
};

describe('the full key', () => {
  const steps = stepsOf('Replace the full key');
  const [both, exchanged, alone] = steps;
  // The first step of the page is a change of what there is; the others say all that there is.
  const rendered = [FIRST, { ...FIRST, ...both }, exchanged, alone].map((qdrant) => step(qdrant));
  const [start, one, two, three] = rendered as [Step, Step, Step, Step];

  test('is replaced in three steps', () => {
    expect(steps).toHaveLength(3);
    expect(steps.map((qdrant) => qdrant.alternativeApiKey?.key)).toEqual(['api-key-2', 'api-key', undefined]);
  });

  test.each([
    [start, one],
    [one, two],
    [two, three],
  ])('is accepted, with its tokens, by every node before and after each step', (before, after) => {
    expect(Object.keys(clientsOf(before))).toEqual(
      expect.arrayContaining(['Deployment/api', 'Deployment/embedding-workers', 'CronJob/qdrant-snapshots']),
    );
    expect(refusedBetween(before, after)).toEqual([]);
    expect(after.after(before)).toEqual([]);
  });

  test('is gone in the end, with the tokens that it has signed', () => {
    const { accepts } = nodesOf(three);
    expect(['api-key', 'client-token', 'read-only-token'].map(accepts)).toEqual([false, false, false]);
    expect(new Set(Object.values(clientsOf(three)))).toEqual(
      new Set(['api-key-2', 'client-token-2', 'read-only-token-2']),
    );
  });

  test.each([
    [
      'the first step',
      () => [start, two] as const,
      /nodes would show key api-key-2 of Secret qdrant, which those that/,
    ],
    [
      'the first two',
      () => [start, three] as const,
      /nodes would show key api-key-2 of Secret qdrant, which those that/,
    ],
    ['the second', () => [one, three] as const, /nodes would refuse key api-key of Secret qdrant, which those that/],
  ])('is not replaced without %s: something would be refused, so the render is', (_, skipped, problem) => {
    const [before, after] = skipped();
    expect(refusedBetween(before, after)).not.toEqual([]);
    expect(after.after(before)).toEqual([expect.stringMatching(problem)]);
  });

  test('of a single node is replaced in the same way, for its clients', () => {
    const single = [FIRST, { ...FIRST, ...both }, exchanged, alone].map((qdrant) => step(qdrant, 1));
    single.slice(1).forEach((after, index) => {
      expect(after.after(single[index] as Step)).toEqual([]);
    });
    expect(single[3]?.after(single[0] as Step)).toEqual([
      expect.stringMatching(
        /^StatefulSet rag\/qdrant: would refuse key api-key of Secret qdrant while .*CronJob rag\/qdrant-snapshots.* still have it; keep it and set alternativeApiKey to the new key,/,
      ),
    ]);
  });
});

describe('a token', () => {
  test('is replaced in one step, while the old one is still valid', () => {
    const [replaced] = stepsOf('Replace a token');
    const [before, after] = [step(FIRST), step(replaced)];
    const { accepts } = nodesOf(after);
    expect(clientsOf(after)).toMatchObject({
      'Deployment/api': 'read-only-token-2',
      'Deployment/embedding-workers': 'client-token-2',
    });
    expect(Object.values(clientsOf(before)).every(accepts)).toBe(true);
    expect(after.after(before)).toEqual([]);
  });

  test('takes the place of the key, and goes again, without a rollout of the nodes', () => {
    const [without, withTokens] = [step({}), step(FIRST)];
    for (const [before, after] of [
      [without, withTokens],
      [withTokens, without],
    ] as const) {
      expect(refusedBetween(before, after)).toEqual([]);
      expect(after.after(before)).toEqual([]);
      for (const kind of ['StatefulSet', 'ConfigMap']) {
        expect(find(after.objects, kind, 'qdrant')).toEqual(find(before.objects, kind, 'qdrant'));
      }
    }
  });
});

describe('the read-only key', () => {
  const readOnlyApiKey = { secret: 'qdrant', key: 'read-only-api-key' };
  const { readOnlyToken } = FIRST;
  const [key, both, token] = [{ readOnlyApiKey }, { readOnlyApiKey, readOnlyToken }, { readOnlyToken }].map((qdrant) =>
    step(qdrant),
  ) as [Step, Step, Step];

  test.each([
    [key, both],
    [both, token],
  ])('is accepted as long as a client has it', (before, after) => {
    expect(refusedBetween(before, after)).toEqual([]);
    expect(after.after(before)).toEqual([]);
  });

  test.each([[token], [step({ readOnlyApiKey: { secret: 'qdrant', key: 'read-only-api-key-2' } })], [step({})]])(
    'is not taken away before',
    (after) => {
      expect(refusedBetween(key, after)).not.toEqual([]);
      expect(after.after(key)).toEqual([
        'StatefulSet rag/qdrant: would refuse key read-only-api-key of Secret qdrant while Deployment rag/api still has it; ' +
          'keep it and set readOnlyToken, sync, and then remove or replace it; where only its place has changed and the ' +
          'value is the same, remove the file of its last render so that there is nothing to compare, render again and sync',
      ]);
    },
  );
});

describe('no key or token', () => {
  test('has Reloader restart anything', () => {
    const { objects } = step({ ...FIRST, readOnlyApiKey: { secret: 'qdrant', key: 'read-only-api-key' } });
    const watched = objects.flatMap(
      ({ metadata }) => metadata.annotations?.['secret.reloader.stakater.com/reload']?.split(',') ?? [],
    );
    expect(watched).toContain('queue');
    expect(watched).not.toContain('qdrant');
  });
});
