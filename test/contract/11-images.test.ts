import { Cluster } from '../../constructs/placement/cluster';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { podsOf } from '../support/pods';

describe.each(EACH_ENVIRONMENT)('%s: images are pinned', (_, { objects, platform }) => {
  const images: string[] = podsOf(objects).flatMap(({ containers }) => containers.map(({ image }) => image));
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

  test('and pulled with the secrets of the registry', () => {
    for (const { spec } of podsOf(objects)) {
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
