import { Cluster } from '../../constructs/placement/cluster';
import { Registry } from '../../constructs/placement/registry';
import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { podsOf } from '../support/pods';

/** Containers for which an operator has an image of its own. */
const BROUGHT_ALONG = ['bootstrap-controller', 'plugin-barman-cloud'];

describe.each(EACH_ENVIRONMENT)('%s: images are pinned', (_, { objects, platform }) => {
  const pods = [...podsOf(objects), ...operatedPods(objects)];
  // What an operator brings along itself is named nowhere.
  const images: string[] = pods.flatMap(({ containers }) => containers.flatMap(({ image }) => image ?? []));
  const { registry } = Cluster.of(platform);

  test('to a registry and a release', () => {
    for (const image of images) {
      expect(image).toMatch(/^[a-z0-9.-]+(:\d+)?\/[^:@]+:[\w.-]+(@sha256:[0-9a-f]{64})?$/);
      expect(image).not.toMatch(/:latest/);
    }
  });

  test('to a digest where the registry asks for it', () => {
    const unpinned = images.filter((image) => !image.includes('@sha256:'));
    expect(registry.requireDigest ? unpinned : []).toEqual([]);
  });

  test('of operators too, where the registry is not where images are published', () => {
    const named = (container: Json) => container.image !== undefined || BROUGHT_ALONG.includes(container.name);
    const unnamed = operatedPods(objects).flatMap(({ containers }) => containers.filter((one) => !named(one)));
    expect(registry === Registry.PUBLIC ? [] : unnamed).toEqual([]);
  });

  test('and pulled with the secrets of the registry', () => {
    for (const { spec } of pods) {
      expect((spec.imagePullSecrets ?? []).map(({ name }: { name: string }) => name)).toEqual(registry.pullSecrets);
    }
  });
});

test('production requires digests', () => {
  const production = ENVIRONMENTS.find(({ name }) => name === 'production');
  expect(production === undefined ? undefined : Cluster.of(production.platform).registry.requireDigest).toBe(true);
});

test('one setting moves every image to a private registry', () => {
  const airGapped = ENVIRONMENTS.find(({ name }) => name === 'air-gapped');
  const images = podsOf(airGapped?.objects ?? []).flatMap(({ containers }) => containers.map(({ image }) => image));
  expect(images.length).toBeGreaterThan(3);
  expect(images.filter((image: string) => !image.startsWith('registry.acme.example:5000/mirror/'))).toEqual([]);
});
