import { App, Chart, Duration } from 'cdk8s';
import fc from 'fast-check';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { ExternalSecrets, type ExternalSecretsProps } from '../../../constructs/secrets/external-secrets';
import { ExternalSecretsVersion } from '../../../constructs/secrets/external-secrets-version';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { find, namesOf, render, testChart } from '../../support/manifests';

function filled(props: ExternalSecretsProps = {}, ...keys: [secret: string, key: string][]) {
  return filledFrom(SecretStore.existing('vault'), props, ...keys);
}

function filledFrom(store: SecretStore, props: ExternalSecretsProps, ...keys: [secret: string, key: string][]) {
  const chart = testChart();
  const source = new ExternalSecrets(store, props);
  for (const [secret, key] of keys.length === 0 ? [['qdrant', 'api-key'] as const] : keys) {
    source.key(secret, key)._bind(chart);
  }
  const objects = render(chart);
  return { chart, objects, object: find(objects, 'ExternalSecret', keys[0]?.[0] ?? 'qdrant') };
}

describe('an ExternalSecret', () => {
  const { objects, object } = filled();

  test('fills the Secret from the store, owns it, and keeps it when the store is empty', () => {
    const { data, ...spec } = object.spec;
    expect(object).toMatchObject({ apiVersion: 'external-secrets.io/v1', metadata: { namespace: 'test' } });
    expect(spec).toEqual({
      refreshInterval: '1h0m0s',
      secretStoreRef: { name: 'vault', kind: 'ClusterSecretStore' },
      target: { name: 'qdrant', creationPolicy: 'Owner', deletionPolicy: 'Retain' },
    });
    expect(data).toHaveLength(1);
  });

  test('reads each key as a property of the entry named like the Secret', () => {
    expect(object.spec.data).toMatchObject([
      { secretKey: 'api-key', remoteRef: { key: 'qdrant', property: 'api-key' } },
    ]);
  });

  test('is applied before the pods', () => {
    expect(object.metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-wave': '-10',
      'argocd.argoproj.io/sync-options': 'PruneLast=true',
    });
  });

  test('leaves the Secret itself to External Secrets', () => {
    expect(objects).toHaveLength(1);
  });
});

describe('what is asked for', () => {
  test('is one object per Secret, with the keys sorted and each once', () => {
    const { objects } = filled(
      {},
      ['qdrant', 'read'],
      ['redis', 'password'],
      ['qdrant', 'api-key'],
      ['qdrant', 'read'],
    );
    expect(namesOf(objects, 'ExternalSecret').sort()).toEqual(['qdrant', 'redis']);
    const keysOf = (name: string) =>
      find(objects, 'ExternalSecret', name).spec.data.map(({ secretKey }: { secretKey: string }) => secretKey);
    expect(keysOf('qdrant')).toEqual(['api-key', 'read']);
    expect(keysOf('redis')).toEqual(['password']);
  });

  test('is found in the same form in whatever order it is asked for', () => {
    const all: [string, string][] = ['a', 'b', 'c', 'd'].map((key) => ['secret', key]);
    const expected = filled({}, ...all).object;
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (some) => {
        expect(filled({}, ...some).object).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  test('is created in each chart that asks for it', () => {
    const app = new App();
    const key = new ExternalSecrets(SecretStore.existing('vault')).key('qdrant', 'api-key');
    const charts = ['one', 'two'].map((namespace) => new Chart(app, namespace, { namespace }));
    for (const chart of charts) {
      key._bind(chart);
    }
    const namespaces = charts.flatMap((chart) => render(chart)).map(({ kind, metadata }) => [kind, metadata.namespace]);
    expect(namespaces).toEqual([
      ['ExternalSecret', 'one'],
      ['ExternalSecret', 'two'],
    ]);
  });

  test('is nothing when nothing uses it', () => {
    const chart = testChart();
    const key = new ExternalSecrets(SecretStore.existing('vault')).key('qdrant', 'api-key');
    expect(key.secret).toBe('qdrant');
    expect(render(chart)).toEqual([]);
    expect(ExternalReferences.of(chart).all).toEqual([]);
  });
});

describe('the store', () => {
  test.each([
    ['of the cluster', undefined, { kind: 'ClusterSecretStore', name: 'vault' }],
    ['of the cluster, when said so', true, { kind: 'ClusterSecretStore', name: 'vault' }],
    ['of the namespace', false, { kind: 'SecretStore', name: 'vault', namespace: 'test' }],
  ])('is one %s, which must exist', (_, clusterStore, reference) => {
    const { chart, object } = filledFrom(SecretStore.existing('vault', { clusterStore }), {});
    expect(object.spec.secretStoreRef).toEqual({ name: 'vault', kind: reference.kind });
    expect(ExternalReferences.of(chart).all).toEqual([reference]);
  });

  test('can keep the entries below a path', () => {
    const { object } = filled({ path: 'rag/production' }, ['qdrant', 'api-key'], ['qdrant', 'read']);
    expect(object.spec.data).toMatchObject([
      { remoteRef: { key: 'rag/production/qdrant', property: 'api-key' } },
      { remoteRef: { key: 'rag/production/qdrant', property: 'read' } },
    ]);
  });
});

describe('a key that stands in a URL', () => {
  /** The object of the Secret "queue", of which these keys are used, and these in URLs. */
  function queue(keys: string[], inUrls: string[], version?: ExternalSecretsVersion) {
    const chart = testChart();
    const source = new ExternalSecrets(SecretStore.existing('vault'), { version });
    for (const key of keys) {
      source.key('queue', key)._bind(chart);
    }
    for (const key of inUrls) {
      source.key('queue', key)._inUrl._bind(chart);
    }
    return find(render(chart), 'ExternalSecret', 'queue').spec;
  }

  const PASSWORD = { 'password.urlencoded': '{{ index . "password" | urlquery | replace "+" "%20" }}' };

  test('has a second one beside it, when somebody asks for that', () => {
    const key = new ExternalSecrets(SecretStore.existing('vault')).key('queue', 'password');
    expect(key._inUrl).toMatchObject({ secret: 'queue', key: 'password.urlencoded' });
    expect(queue(['password'], []).target).not.toHaveProperty('template');
  });

  test.each([ExternalSecretsVersion.V1, ExternalSecretsVersion.V1BETA1])(
    'is filled in the version %s by a template that leaves the others as they are',
    (version) => {
      expect(queue(['password', 'read'], ['password'], version).target).toEqual({
        name: 'queue',
        creationPolicy: 'Owner',
        deletionPolicy: 'Retain',
        template: { engineVersion: 'v2', mergePolicy: 'Merge', data: PASSWORD },
      });
    },
  );

  test('is read from the store under its own name only', () => {
    for (const { data } of [queue([], ['password']), queue(['password'], ['password', 'password'])]) {
      expect(data).toMatchObject([{ secretKey: 'password', remoteRef: { property: 'password' } }]);
    }
  });

  test('is found in the same place in whatever order it is asked for', () => {
    const [one, other] = [queue([], ['a-b', 'c.d']), queue([], ['c.d', 'a-b'])];
    expect(Object.keys(one.target.template.data)).toEqual(['a-b.urlencoded', 'c.d.urlencoded']);
    expect(one).toEqual(other);
  });

  test.each([
    [['password.urlencoded'], ['password']],
    [['password'], ['password', 'password.urlencoded']],
  ])('cannot share a Secret with another in its place: %j and %j', (keys, inUrls) => {
    expect(() => queue(keys, inUrls)).toThrow(
      new Error(
        'rag: secret queue has the keys password and password.urlencoded, but the second is where the first is kept in ' +
          'the form for URLs; give it another name',
      ),
    );
  });

  test('may be as long as a key can be, as long as nobody asks', () => {
    const key = new ExternalSecrets(SecretStore.existing('vault')).key('queue', 'k'.repeat(253));
    expect(() => key._inUrl).toThrow(/^secret\.key is "k{253}\.urlencoded", but must consist of /);
  });
});

describe('two sources', () => {
  const [vault, other] = ['vault', 'other'].map((store) => new ExternalSecrets(SecretStore.existing(store))) as [
    ExternalSecrets,
    ExternalSecrets,
  ];

  test('fill different Secrets of a chart', () => {
    const chart = testChart();
    vault.key('qdrant', 'api-key')._bind(chart);
    other.key('redis', 'password')._bind(chart);
    const objects = render(chart);
    const stores = ['qdrant', 'redis'].map((name) => find(objects, 'ExternalSecret', name).spec.secretStoreRef.name);
    expect(stores).toEqual(['vault', 'other']);
  });

  test('cannot fill one Secret of a chart', () => {
    const chart = testChart();
    vault.key('qdrant', 'api-key')._bind(chart);
    expect(() => other.key('qdrant', 'read')._bind(chart)).toThrow(
      new Error(
        'rag: secret qdrant has keys from the store vault and from other; one Secret comes from one store, so give one ' +
          'of them another name',
      ),
    );
    expect(find(render(chart), 'ExternalSecret', 'qdrant').spec.data).toHaveLength(1);
  });

  test('can fill Secrets of one name in different charts', () => {
    const app = new App();
    const stores = [vault, other].map((source, index) => {
      const chart = new Chart(app, `chart-${index}`, { namespace: `namespace-${index}` });
      source.key('qdrant', 'api-key')._bind(chart);
      return find(render(chart), 'ExternalSecret', 'qdrant').spec.secretStoreRef.name;
    });
    expect(stores).toEqual(['vault', 'other']);
  });
});

describe.each([ExternalSecretsVersion.V1, ExternalSecretsVersion.V1BETA1, undefined])(
  'in the version %s',
  (version) => {
    test('what the API server would add to the list is written', () => {
      expect(filled({ version }).object.spec.data).toEqual([
        {
          secretKey: 'api-key',
          remoteRef: {
            key: 'qdrant',
            property: 'api-key',
            conversionStrategy: 'Default',
            decodingStrategy: 'None',
            metadataPolicy: 'None',
          },
        },
      ]);
    });
  },
);

describe('the version v1beta1', () => {
  const { object } = filled({ version: ExternalSecretsVersion.V1BETA1 });

  test('is chosen by its name', () => {
    expect(ExternalSecretsVersion).toEqual({ V1: 'v1', V1BETA1: 'v1beta1' });
  });

  test('has the same fields', () => {
    const { apiVersion, metadata, spec } = filled({ version: ExternalSecretsVersion.V1 }).object;
    expect(apiVersion).toBe('external-secrets.io/v1');
    expect(object.apiVersion).toBe('external-secrets.io/v1beta1');
    expect(object.metadata).toEqual(metadata);
    expect(object.spec).toEqual(spec);
  });
});

describe('the time between two reads', () => {
  test.each([
    ['30s', Duration.seconds(30)],
    ['1m0s', Duration.minutes(1)],
    ['1m30s', Duration.seconds(90)],
    ['15m0s', Duration.minutes(15)],
    ['1h0m0s', Duration.hours(1)],
    ['1h30m0s', Duration.minutes(90)],
    ['1h0m1s', Duration.seconds(3601)],
    ['48h0m0s', Duration.days(2)],
  ])('is %s, as the API server writes it back', (text, refresh) => {
    expect(filled({ refresh }).object.spec.refreshInterval).toBe(text);
  });
});

test('a store has a name that it can have', () => {
  expect(() => new ExternalSecrets(SecretStore.existing('Acme Vault'))).toThrow(
    /^secrets\.store is "Acme Vault", but must be DNS labels joined by dots: /,
  );
});

describe('secrets from a store of the library', () => {
  test('are read from that, with the settings of the source', () => {
    const chart = testChart();
    const store = SecretStore.existing('acme', { clusterStore: false });
    const refresh = Duration.minutes(15);
    new ExternalSecrets(store, { path: 'rag', refresh }).key('qdrant', 'api-key')._bind(chart);
    expect(find(render(chart), 'ExternalSecret', 'qdrant').spec).toMatchObject({
      refreshInterval: '15m0s',
      secretStoreRef: { kind: 'SecretStore', name: 'acme' },
      data: [{ remoteRef: { key: 'rag/qdrant', property: 'api-key' } }],
    });
  });
});

test('a path is checked where the source is made', () => {
  expect(() => new ExternalSecrets(SecretStore.existing('acme'), { path: '/rag/' })).toThrow(
    /^secrets\.path is "\/rag\/"/,
  );
});

test('two sources of one store cannot fill one Secret', () => {
  const chart = testChart();
  const [one, two] = [0, 1].map(() => new ExternalSecrets(SecretStore.existing('acme')));
  one?.key('qdrant', 'a')._bind(chart);
  expect(() => two?.key('qdrant', 'b')._bind(chart)).toThrow(
    'secret qdrant has keys from two sources that both read the store acme; make the source once and share it',
  );
});
