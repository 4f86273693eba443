import { Size } from 'cdk8s';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant } from '../../../constructs/vector-store/qdrant';
import type { QdrantKeys } from '../../../constructs/vector-store/qdrant-keys';
import { testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { RESOURCES } from '../../support/values';

const key = (name: string, secret = 'qdrant') => SecretKey.of(secret, name);
const ALL = {
  apiKey: key('api-key'),
  alternativeApiKey: key('next'),
  clientToken: key('client'),
  readOnlyApiKey: key('reader'),
  readOnlyToken: key('read-token'),
};

const qdrant = (keys: QdrantKeys) =>
  new Qdrant(testChart(), 'qdrant', { resources: RESOURCES, storage: Size.gibibytes(10), ...ALL, ...keys });

const properties = Object.keys(ALL) as (keyof typeof ALL)[];
const pairs = properties.flatMap((one, index) => properties.slice(index + 1).map((other) => [one, other] as const));

test.each(pairs)('%s and %s are not the same key', (one, other) => {
  const { secret, key: name } = ALL[one];
  expect(refusalOf(() => qdrant({ [other]: SecretKey.of(secret, name) })).message).toBe(
    `rag/qdrant: ${other} is key ${name} of Secret qdrant, which is ${one} too, but each of them allows something else; ` +
      'give it another key of a Secret',
  );
});

test('keys of the same name in different Secrets are different', () => {
  expect(() => qdrant({ readOnlyApiKey: key('api-key', 'readers') })).not.toThrow();
});
