import { dataStays } from '../../../constructs/rules/data-stays';
import { manifest } from '../../support/output';

const CLAIMS = { volumeClaimTemplates: [{ metadata: { name: 'storage' } }] };

const store = (name: string, namespace: string, spec: object = CLAIMS) =>
  manifest('StatefulSet', name, { metadata: { namespace }, spec });

const problem = (stores: string) =>
  `namespace goes from rag to search, where ${stores} would begin without data, while Argo CD deletes rag, once that is ` +
  'confirmed with its volumes; keep rag, or make search another environment beside this one, copy the data, let clients ' +
  'move, and remove this one';

describe('another namespace', () => {
  test('is refused where something holds data, once for everything in it', () => {
    const before = [store('qdrant', 'rag'), store('queue', 'rag'), manifest('Deployment', 'api')];
    const after = [store('qdrant', 'search'), store('queue', 'search'), manifest('Deployment', 'api')];
    expect(dataStays.check(before, after)).toEqual([problem('StatefulSet qdrant and StatefulSet queue')]);
  });

  test.each([
    ['postgresql.cnpg.io/v1', 'Cluster'],
    ['rabbitmq.com/v1beta1', 'RabbitmqCluster'],
    ['kafka.strimzi.io/v1', 'KafkaNodePool'],
  ])('is refused for what an operator of %s runs: %s', (apiVersion, kind) => {
    const [before, after] = ['rag', 'search'].map((namespace) =>
      manifest(kind, 'store', { apiVersion, metadata: { namespace } }),
    );
    expect(dataStays.check([before as never], [after as never])).toEqual([problem(`${kind} store`)]);
    const foreign = [before, after].map((object) => ({ ...object, apiVersion: 'acme.example/v1' }));
    expect(dataStays.check([foreign[0] as never], [foreign[1] as never])).toEqual([]);
  });

  test('is accepted where nothing holds data', () => {
    const move = (kind: string) =>
      dataStays.check(
        [manifest(kind, 'api', { metadata: { namespace: 'rag' }, spec: {} })],
        [manifest(kind, 'api', { metadata: { namespace: 'search' }, spec: {} })],
      );
    expect(['Deployment', 'PersistentVolumeClaim', 'StatefulSet'].flatMap(move)).toEqual([]);
  });
});

test('a store that stays, that comes beside another, or that goes, has not moved', () => {
  const [old, other] = [store('qdrant', 'rag'), store('qdrant', 'search')];
  expect(dataStays.check([old], [old])).toEqual([]);
  expect(dataStays.check([old], [old, other])).toEqual([]);
  expect(dataStays.check([old, other], [other])).toEqual([]);
  expect(dataStays.check([old], [])).toEqual([]);
  expect(dataStays.check([old], [store('vectors', 'search')])).toEqual([]);
  expect(dataStays.check([{ ...old, spec: null }], [other])).toEqual([]);
});
