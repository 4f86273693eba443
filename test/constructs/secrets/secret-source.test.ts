import { ExternalReferences } from '../../../constructs/rules/external-references';
import { ExternalSecrets } from '../../../constructs/secrets/external-secrets';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ExistingSecrets, type ISecretSource } from '../../../constructs/secrets/secret-source';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { EnvValue } from '../../../constructs/workload/env-value';
import { mainContainer, namesOf } from '../../support/manifests';
import { deployed } from '../../support/workloads';

function using(source: ISecretSource) {
  return deployed({ env: { API_KEY: EnvValue.fromSecret(source.key('qdrant', 'api-key')) } });
}

describe('Secrets that exist', () => {
  test('are referred to and declared', () => {
    const { chart, objects } = using(new ExistingSecrets());
    expect(objects()).toHaveLength(3);
    expect(namesOf(objects(), 'ExternalSecret')).toEqual([]);
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'Secret', namespace: 'test', name: 'qdrant', key: 'api-key' },
    ]);
  });

  test('are the same as keys that are written by hand', () => {
    expect(new ExistingSecrets().key('qdrant', 'api-key')).toEqual(SecretKey.of('qdrant', 'api-key'));
  });

  test('are exchanged for others without a change at whoever uses them', () => {
    const [existing, external] = [new ExistingSecrets(), new ExternalSecrets(SecretStore.existing('vault'))].map(
      (source) => mainContainer(using(source).object()),
    );
    expect(existing).toEqual(external);
  });
});
