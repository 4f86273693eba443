import { Size } from 'cdk8s';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant } from '../../../constructs/vector-store/qdrant';
import { EnvValue } from '../../../constructs/workload/env-value';
import { env, find, render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

function qdrantWith(name: string) {
  const chart = testChart();
  new Qdrant(chart, 'qdrant', {
    nodes: 3,
    resources: RESOURCES,
    storage: Size.gibibytes(10),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    env: { [name]: EnvValue.of('1') },
  });
  return chart;
}

test.each([
  ['QDRANT__SERVICE__HTTP_PORT', 'Services, probes and network policies lead to 6333'],
  ['QDRANT__SERVICE__HOST', 'on every address; leave it out'],
  ['QDRANT__CLUSTER__P2P__PORT', '6335'],
  ['QDRANT__SERVICE__API_KEY', 'use apiKey'],
  ['QDRANT__SERVICE__JWT_RBAC', 'tokens of clients'],
  ['QDRANT__SERVICE__ENABLE_TLS', 'follow from tls; use that'],
  ['QDRANT__TLS__CERT', 'follow from tls; use that'],
  ['QDRANT__CLUSTER__ENABLED', 'use nodes'],
  ['QDRANT_BOOTSTRAP', 'each node finds it by itself'],
  ['QDRANT__CLUSTER__GRPC_TIMEOUT_MS', 'strictMode.maxTimeout'],
  ['QDRANT__STORAGE__STORAGE_PATH', 'only the mounted volumes'],
  ['QDRANT__STORAGE__SNAPSHOTS_CONFIG__S3_CONFIG__BUCKET', 'snapshots says where'],
  ['QDRANT__STORAGE__QUOTAS__MAX_DISK_USAGE_PERCENT', 'PUT /quotas'],
  ['QDRANT__STORAGE__COLLECTION__REPLICATION_FACTOR', 'replicationFactor says'],
  ['QDRANT__AUDIT__ENABLED', 'audit says what is logged'],
  ['QDRANT_ALLOW_RECOVERY_MODE', 'set QDRANT__STORAGE__RECOVERY_MODE'],
  ['RUN_MODE', 'production.yaml'],
  ['QDRANT__CLUSTER__PEER_ID', 'every node would have the same id'],
  ['QDRANT__STORAGE__NODE_TYPE', 'listeners answer no searches; leave it out'],
  ['QDRANT__STORAGE__COLLECTION__STRICT_MODE__ENABLED', 'use strictMode of a QdrantCollection'],
  ['QDRANT_LOG_LEVEL', 'put two underscores after QDRANT'],
  ['QDRANT_STORAGE__ON_DISK_PAYLOAD', 'put two underscores after QDRANT'],
  ['qdrant_num_cpus', 'put two underscores after QDRANT'],
  // Qdrant takes variables in any case.
  ['qdrant__service__http_port', 'Services, probes and network policies'],
])('%s contradicts a setting and is refused', (name, problem) => {
  expect(() => qdrantWith(name)).toThrow(`env has ${name}, but`);
  expect(() => qdrantWith(name)).toThrow(problem);
});

test.each([
  'QDRANT__LOG_LEVEL',
  'QDRANT_NUM_CPUS',
  'QDRANT_NO_MULTI_MMAP',
  'QDRANTS',
  'QDRANT__STORAGE__RECOVERY_MODE',
  'QDRANT__STORAGE__PERFORMANCE__MAX_SEARCH_THREADS',
  'QDRANT__CLUSTER__CONSENSUS__TICK_PERIOD_MS',
])("%s is Qdrant's own and passes", (name) => {
  expect(env(find(render(qdrantWith(name)), 'StatefulSet', 'qdrant'), name)).toBe('1');
});
