import { Architecture } from '../../../constructs/placement/architecture';
import type { NodePool } from '../../../constructs/placement/node-pool';
import { Image } from '../../../constructs/workload/image';
import { RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const { AMD64, ARM64 } = Architecture;
const LABEL = 'kubernetes.io/arch';

function image(...architectures: Architecture[]): Image {
  const known = architectures.length === 0 ? undefined : architectures;
  return Image.of('ghcr.io/acme/api', { tag: '1.0', architectures: known });
}

/** Pods whose containers have these images, in a pool with this label. */
function pods(images: Image[], ofPool?: string) {
  const [main, ...others] = images as [Image, ...Image[]];
  const selector: { [label: string]: string } = ofPool === undefined ? {} : { [LABEL]: ofPool };
  const pool: NodePool = { name: 'cpu', nodes: 3, nodeSelector: { pool: 'cpu', ...selector } };
  const container = { ...CONTAINER, image: main };
  const made = deployed({ container, nodePool: ofPool === undefined ? undefined : 'cpu' }, { nodePools: [pool] });
  for (const [index, other] of others.entries()) {
    made.construct.addInitContainer({ name: `other-${index}`, image: other, resources: RESOURCES });
  }
  return made;
}

describe('pods go to nodes', () => {
  test.each<[string, Image[]]>([
    ['their image says nothing', [image()]],
    ['there is a build for each', [image(AMD64, ARM64)]],
    ['there are builds of all images for each', [image(AMD64, ARM64), image(ARM64, AMD64), image()]],
  ])('of any architecture when %s', (_, images) => {
    expect(pods(images).template().spec).not.toHaveProperty('nodeSelector');
  });

  test.each<[string, Image[], string]>([
    ['their image is for one', [image(ARM64)], 'arm64'],
    ['their image is for one, twice', [image(AMD64, AMD64)], 'amd64'],
    ['an init container is for one', [image(), image(AMD64)], 'amd64'],
    ['there is one in common', [image(AMD64, ARM64), image(ARM64)], 'arm64'],
  ])('of one architecture when %s', (_, images, architecture) => {
    expect(pods(images).template().spec.nodeSelector).toEqual({ [LABEL]: architecture });
  });

  test('of the pool, which may say the same, or nothing', () => {
    const labels = { pool: 'cpu', [LABEL]: 'arm64' };
    expect(pods([image(ARM64)], 'arm64').template().spec.nodeSelector).toEqual(labels);
    expect(pods([image(ARM64, AMD64)], 'arm64').template().spec.nodeSelector).toEqual(labels);
    expect(pods([image()], 's390x').template().spec.nodeSelector).toEqual({ pool: 'cpu', [LABEL]: 's390x' });
    const { template } = deployed(
      { container: { ...CONTAINER, image: image(ARM64) }, nodePool: 'cpu' },
      { nodePools: [{ name: 'cpu', nodes: 1, nodeSelector: { pool: 'cpu' } }] },
    );
    expect(template().spec.nodeSelector).toEqual(labels);
  });
});

describe('pods are refused', () => {
  test('when their images have no architecture in common', () => {
    const { objects } = pods([image(AMD64), image(), image(ARM64)]);
    expect(objects).toThrow(
      'rag/api: image.architectures have nothing in common: ghcr.io/acme/api:1.0 is for amd64, ghcr.io/acme/api:1.0 is ' +
        'for arm64; use builds for one architecture',
    );
  });

  test('when the pool has nodes of another', () => {
    expect(pods([image(AMD64)], 'arm64').objects).toThrow(
      'rag/api: image.architectures do not fit: ghcr.io/acme/api:1.0 is for amd64, but nodes of the pool "cpu" are ' +
        'arm64; use a build for these, or another nodePool',
    );
    expect(pods([image(AMD64, ARM64)], 's390x').objects).toThrow(/is for amd64 and arm64, but nodes .* are s390x/);
  });
});

describe('an image', () => {
  test('is for one architecture at least, when it says so', () => {
    expect(() => Image.of('acme/api', { tag: '1.0', architectures: [] })).toThrow(
      'image.architectures are none, so no node could run it; name one, or leave them out where they are unknown',
    );
  });

  test('stays for what it was for, whatever the caller does with the list', () => {
    const architectures = [ARM64];
    const made = Image.of('acme/api', { tag: '1.0', architectures });
    architectures.push(AMD64);
    expect(made.architectures).toEqual([ARM64]);
    expect(image().architectures).toBeUndefined();
  });
});
