import { parse } from 'yaml';
import { Cluster } from '../../constructs/placement/cluster';
import type { Json } from '../../constructs/rules/output';
import type { Qdrant } from '../../constructs/vector-store/qdrant';
import { secretsReadBy } from '../../constructs/workload/pod-secrets';
import { isCovered, urlsOf } from '../support/certificate-names';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { env, find, mainContainer, templateOf } from '../support/manifests';
import { podsOf } from '../support/pods';

describe.each(EACH_ENVIRONMENT.filter(([, { platform }]) => platform.qdrant !== undefined))(
  '%s: Qdrant runs as its operators run it',
  (_, { objects, platform }) => {
    const statefulSet = find(objects, 'StatefulSet', 'qdrant');
    const config = parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
    const distributed = statefulSet.spec.replicas > 1;

    test('nodes start together, and are a cluster exactly when there are several', () => {
      expect(statefulSet.spec.podManagementPolicy).toBe('Parallel');
      expect(config.cluster?.enabled ?? false).toBe(distributed);
    });

    test('unready nodes have names', () => {
      const headless = find(objects, 'Service', statefulSet.spec.serviceName).spec;
      expect(headless).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    });

    test('nodes are kept apart: on machines always, in zones where the cluster is known to have several', () => {
      const { zones = 1 } = Cluster.of(platform);
      const constraints: Json[] = templateOf(statefulSet).spec.topologySpreadConstraints ?? [];
      const nodes = statefulSet.spec.replicas;
      expect(constraints.map((one) => [one.topologyKey, one.whenUnsatisfiable, one.minDomains])).toEqual(
        distributed
          ? [
              zones > 1
                ? ['topology.kubernetes.io/zone', 'DoNotSchedule', Math.min(zones, nodes)]
                : ['topology.kubernetes.io/zone', 'ScheduleAnyway', undefined],
              ['kubernetes.io/hostname', 'DoNotSchedule', nodes],
            ]
          : [],
      );
    });

    test('readiness asks /readyz', () => {
      expect(mainContainer(statefulSet).readinessProbe.httpGet.path).toBe('/readyz');
    });

    test('nodes reach one another on p2p, and nobody else does', () => {
      const rules: Json[] = find(objects, 'NetworkPolicy', 'qdrant').spec.ingress ?? [];
      const p2p = rules.filter(({ ports }) => ports.some(({ port }: Json) => port === 6335));
      expect(p2p.flatMap(({ from }) => from)).toEqual(
        distributed ? [{ podSelector: { matchLabels: statefulSet.spec.selector.matchLabels } }] : [],
      );
    });

    test('the image is the unprivileged one, with a user of its own', () => {
      expect(mainContainer(statefulSet).image).toMatch(/-unprivileged(@|$)/);
      expect(templateOf(statefulSet).spec.securityContext.runAsUser).toBe(1000);
    });

    test('it asks for a key', () => {
      expect(env(statefulSet, 'QDRANT__SERVICE__API_KEY')?.secretKeyRef.key).toBeTruthy();
    });

    test('a change of its keys alone restarts no node; one of its certificate or of its keys to a bucket does', () => {
      const annotation: string | undefined = statefulSet.metadata.annotations?.['secret.reloader.stakater.com/reload'];
      const { containers, volumes } = statefulSet.spec.template.spec;
      const certificates: string[] = volumes.flatMap(({ secret }: Json) => secret?.secretName ?? []);
      const buckets: string[] = containers[0].env.flatMap(({ name, valueFrom }: Json) =>
        name.startsWith('QDRANT__STORAGE__') ? (valueFrom?.secretKeyRef?.name ?? []) : [],
      );
      const watched = [...new Set([...certificates, ...buckets])].sort().join(',');
      expect(annotation ?? '').toBe(Cluster.of(platform).reloader ? watched : '');
    });

    test('with TLS its certificate is good for every address of it that is rendered; without, none is https', () => {
      const dnsNames: string[] | undefined = objects.find(
        ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'qdrant-tls',
      )?.spec.dnsNames;
      const { env: offered } = (platform.qdrant as Qdrant).everyNode.offerTo(platform.api.workload);
      const nodes = (offered.QDRANT_NODE_URLS?._render('').value ?? '').split(',');
      expect(nodes).toHaveLength(statefulSet.spec.replicas);
      // The nodes of a cluster know one another by both ports.
      const peers = urlsOf([statefulSet]).filter(({ hostname }) => hostname.startsWith('qdrant-'));
      expect(peers).toHaveLength(distributed ? 2 * nodes.length : 0);
      const own = [...peers, ...nodes.map((text) => new URL(text))];
      const clients = urlsOf(objects).filter(({ hostname }) => hostname === 'qdrant' || hostname.startsWith('qdrant.'));
      expect(clients.length).toBeGreaterThan(0);
      const scheme = config.service.enable_tls === true ? 'https:' : 'http:';
      for (const { hostname, protocol } of [...own, ...clients]) {
        expect([hostname, protocol]).toEqual([hostname, scheme]);
        // The names of a certificate that exists are not ours to say.
        expect([hostname, isCovered(hostname, dnsNames ?? [hostname])]).toEqual([hostname, true]);
      }
      for (const name of dnsNames ?? []) {
        // A wildcard with fewer labels after it is one that TLS libraries ignore.
        expect([name, !name.startsWith('*') || name.split('.').length >= 3]).toEqual([name, true]);
      }
    });

    test('nothing scales it', () => {
      const targets = objects.flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? []);
      expect(targets).not.toContain('qdrant');
      expect(statefulSet.spec.replicas).toBeGreaterThan(0);
    });

    test('it stores on volumes of one node each, which stay', () => {
      for (const { spec } of statefulSet.spec.volumeClaimTemplates) {
        expect(spec.accessModes).toEqual(['ReadWriteOnce']);
        expect(spec.volumeMode).toBe('Filesystem');
      }
      expect(statefulSet.spec.persistentVolumeClaimRetentionPolicy).toEqual({
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
      });
    });
  },
);

test('there are environments with TLS, and environments without', () => {
  const withTls = ENVIRONMENTS.map(({ objects }) =>
    objects.some(({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'qdrant-tls'),
  );
  expect(new Set(withTls)).toEqual(new Set([true, false]));
});

describe.each(EACH_ENVIRONMENT.filter(([name]) => ['staging', 'production', 'azure', 'everything'].includes(name)))(
  '%s: clients have tokens',
  (_, { objects }) => {
    const statefulSet = find(objects, 'StatefulSet', 'qdrant');
    const { secretKeyRef: full } = env(statefulSet, 'QDRANT__SERVICE__API_KEY');

    test('only the nodes and the programs of the library read the key that may do everything', () => {
      const readers = podsOf(objects).filter(({ spec }) =>
        secretsReadBy(spec).some(({ secret, key }) => secret === full.name && (key ?? full.key) === full.key),
      );
      const images = new Set(readers.flatMap(({ containers }) => containers.map(({ image }) => image)));
      expect(readers.map(({ title }) => title)).toEqual(
        expect.arrayContaining(['StatefulSet/qdrant', 'Job/collection-bootstrap']),
      );
      expect([...images].filter((image) => !/\/(node|qdrant):/.test(image))).toEqual([]);
    });

    test('the API has one that is not that of the workers', () => {
      const [api, workers] = ['api', 'embedding-workers'].map(
        (name) => env(find(objects, 'Deployment', name), 'QDRANT_API_KEY').secretKeyRef,
      );
      expect([api.key, workers.key]).toEqual(['read-only-token', 'client-token']);
    });
  },
);
