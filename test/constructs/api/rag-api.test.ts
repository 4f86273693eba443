import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { RagApi, type RagApiProps } from '../../../constructs/api/rag-api';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { Deployment } from '../../../constructs/workload/deployment';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

function api(props: Partial<RagApiProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const construct = new RagApi(chart, 'api', { image: IMAGE, ...props });
  return { chart, construct, objects: () => render(chart) };
}

describe('by default', () => {
  const objects = api().objects();
  const deployment = find(objects, 'Deployment', 'api');

  test('two pods, one of which may be evicted', () => {
    expect(deployment.spec.replicas).toBe(2);
    expect(find(objects, 'PodDisruptionBudget', 'api').spec.maxUnavailable).toBe(1);
    expect(namesOf(objects, 'HorizontalPodAutoscaler')).toEqual([]);
  });

  test('an update brings a new pod before an old one goes', () => {
    expect(deployment.spec.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
  });

  test('living and serving are asked apart, and starting has its own budget', () => {
    const { startupProbe, readinessProbe, livenessProbe } = mainContainer(deployment);
    expect(livenessProbe.httpGet).toEqual({ path: '/health/live', port: 8000, scheme: 'HTTP' });
    expect(readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 8000, scheme: 'HTTP' });
    expect(startupProbe.httpGet.path).toBe('/health/live');
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(120);
  });

  test('it listens on 8000, behind a Service of that port', () => {
    expect(mainContainer(deployment).ports).toEqual([{ name: 'http', containerPort: 8000, protocol: 'TCP' }]);
    expect(find(objects, 'Service', 'api').spec.ports).toEqual([
      { name: 'http', port: 8000, targetPort: 8000, protocol: 'TCP', appProtocol: 'http' },
    ]);
  });

  test('it can write to /tmp and nowhere else', () => {
    expect(mainContainer(deployment).volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect(templateOf(deployment).spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }]);
  });

  test('the image decides what runs', () => {
    expect(mainContainer(deployment).command).toBeUndefined();
    expect(mainContainer(deployment).args).toBeUndefined();
  });
});

describe('one number, the longest answer', () => {
  const { construct, objects } = api({ longestAnswer: Duration.minutes(4) });
  const deployment = find(objects(), 'Deployment', 'api');

  test('reaches the program', () => {
    expect(env(deployment, 'LONGEST_ANSWER_SECONDS')).toBe('240');
  });

  test('is less than the edge waits', () => {
    expect(construct.edgeTimeout.toSeconds()).toBe(245);
  });

  test('fits into the grace period after the delay', () => {
    expect(mainContainer(deployment).lifecycle.preStop.exec.command).toEqual(['sleep', '15']);
    expect(templateOf(deployment).spec.terminationGracePeriodSeconds).toBe(15 + 245 + 10);
  });
});

describe('settings', () => {
  const { objects } = api(
    {
      name: 'answers',
      port: 9000,
      command: ['uvicorn'],
      args: ['app:app'],
      scaling: Scaling.horizontal({ min: 3, max: 9, metrics: [ScalingMetric.cpu(70)] }),
      resources: { cpu: Cpu.units(2), memory: Size.gibibytes(2), memoryLimit: Size.gibibytes(3) },
      startupBudget: Duration.minutes(5),
      temporaryStorage: Size.gibibytes(1),
      user: { uid: 2000, gid: 3000 },
    },
    { prometheus: { namespace: 'monitoring' } },
  );
  const deployment = find(objects(), 'Deployment', 'answers');

  test('reach the output', () => {
    const container = mainContainer(deployment);
    expect(container).toMatchObject({ name: 'answers', command: ['uvicorn'], args: ['app:app'] });
    expect(container.ports[0].containerPort).toBe(9000);
    expect(container.resources.limits.memory).toBe('3Gi');
    expect(container.resources.requests).toMatchObject({ cpu: '2', memory: '2Gi' });
    expect(container.startupProbe.failureThreshold).toBe(30);
    expect(templateOf(deployment).spec.securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000 });
  });

  test('leave the number of pods to the autoscaler', () => {
    expect(deployment.spec.replicas).toBeUndefined();
    expect(find(objects(), 'HorizontalPodAutoscaler', 'answers').spec).toMatchObject({
      minReplicas: 3,
      maxReplicas: 9,
    });
  });

  test('let Prometheus in on the port that it listens on', () => {
    expect(find(objects(), 'NetworkPolicy', 'answers').spec.ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ port: 9000, protocol: 'TCP' }],
      },
    ]);
  });
});

describe('metrics', () => {
  const prometheus = { prometheus: { namespace: 'monitoring' } };
  const fromPrometheus = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };

  test('are on the port of the API unless told otherwise', () => {
    const objects = api({}, prometheus).objects();
    expect(mainContainer(find(objects, 'Deployment', 'api')).ports).toHaveLength(1);
    expect(find(objects, 'NetworkPolicy', 'api').spec.ingress).toEqual([
      { from: [fromPrometheus], ports: [{ port: 8000, protocol: 'TCP' }] },
    ]);
  });

  test('can have a port of their own, which no Service has and only Prometheus reaches', () => {
    const objects = api({ metricsPort: 9000 }, prometheus).objects();
    const container = mainContainer(find(objects, 'Deployment', 'api'));
    expect(container.ports).toEqual([
      { name: 'http', containerPort: 8000, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9000, protocol: 'TCP' },
    ]);
    expect(container.readinessProbe.httpGet.port).toBe(8000);
    expect(find(objects, 'Service', 'api').spec.ports).toEqual([
      { name: 'http', port: 8000, targetPort: 8000, protocol: 'TCP', appProtocol: 'http' },
    ]);
    expect(find(objects, 'NetworkPolicy', 'api').spec.ingress).toEqual([
      { from: [fromPrometheus], ports: [{ port: 9000, protocol: 'TCP' }] },
    ]);
  });

  test('on the same port are one port', () => {
    const ports = mainContainer(find(api({ port: 9000, metricsPort: 9000 }).objects(), 'Deployment', 'api')).ports;
    expect(ports).toEqual([{ name: 'http', containerPort: 9000, protocol: 'TCP' }]);
  });

  test('are reached by nobody where there is no Prometheus', () => {
    expect(find(api({ metricsPort: 9000 }).objects(), 'NetworkPolicy', 'api').spec).not.toHaveProperty('ingress');
  });

  test('cannot be on a port that needs privileges', () => {
    expect(() => api({ metricsPort: 90 })).toThrow(
      new Error(
        'rag/api/Resource: ports.number is 90, but must be from 1024 to 65535: containers run without privileges',
      ),
    );
  });
});

test('a client gets the address and may connect', () => {
  const { chart, construct, objects } = api();
  new Deployment(chart, 'ui', { component: 'ui', container: { image: IMAGE, resources: RESOURCES } }).uses(construct);
  expect(env(find(objects(), 'Deployment', 'ui'), 'RAG_API_URL')).toBe('http://api:8000');
  expect(find(objects(), 'NetworkPolicy', 'api').spec.ingress[0].from).toEqual([
    { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ui', 'app.kubernetes.io/instance': 'rag' } } },
  ]);
});

test.each([0, 999, 1500])('the longest answer cannot take %s ms', (milliseconds) => {
  const longestAnswer = Duration.millis(milliseconds);
  expect(() => new RagApi(testChart(), 'api', { image: IMAGE, longestAnswer })).toThrow(
    new Error(`rag/api: longestAnswer is ${milliseconds} ms, but must be whole seconds, at least one`),
  );
});

test('pods are replaced as told, and as many old ReplicaSets are kept', () => {
  const chart = testChart();
  new RagApi(chart, 'api', { image: IMAGE, update: UpdateStrategy.RECREATE, revisionHistoryLimit: 2 });
  expect(find(render(chart), 'Deployment', 'api').spec).toMatchObject({
    strategy: { type: 'Recreate' },
    revisionHistoryLimit: 2,
  });
});
