import { objectSize } from '../../../constructs/rules/object-size';
import { manifest, problemsOf } from '../../support/output';

const BYTES_AROUND = Buffer.byteLength(JSON.stringify(manifest('Other', 'api', { spec: { text: '' } })));
const sized = (bytes: number) => manifest('Other', 'api', { spec: { text: 'x'.repeat(bytes - BYTES_AROUND) } });

test('an object has at most what etcd takes', () => {
  expect(problemsOf(objectSize, [sized(1_572_864)])).toEqual([]);
  expect(problemsOf(objectSize, [sized(1_572_865)])).toEqual([
    expect.stringMatching(
      /^Other .*api: has 1572865 bytes, but etcd takes at most 1572864; move long texts into files of the image or a volume$/,
    ),
  ]);
});
