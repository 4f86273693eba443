import { Duration } from 'cdk8s';
import fc from 'fast-check';
import type { Gateway } from '../../../constructs/edge/gateway';
import type { Ingress } from '../../../constructs/edge/ingress';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import type { EventScalingOptions, ScalingBounds } from '../../../constructs/scaling/scaling-bounds';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';
import type { DeploymentProps } from '../../../constructs/workload/deployment';
import { find, namesOf } from '../../support/manifests';
import { deployed } from '../../support/workloads';

const KEDA: ClusterProps = { keda: { namespace: 'keda' } };
const TRIGGER = ScalingTrigger.cron({ timeZone: 'Etc/UTC', start: '0 8 * * *', end: '0 18 * * *', replicas: 1 });
const METRICS = [ScalingMetric.cpu(70)];
const TARGET = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' };

function onEvents(options: Partial<EventScalingOptions> = {}) {
  return Scaling.onEvents({ min: 0, max: 5, triggers: [TRIGGER], ...options });
}

function horizontal(bounds: Partial<ScalingBounds> = {}) {
  return Scaling.horizontal({ min: 1, max: 5, metrics: METRICS, ...bounds });
}

function rendered(scaling: Scaling, cluster: ClusterProps = KEDA) {
  const objects = deployed({ scaling }, cluster).objects();
  const count = (kind: string) => namesOf(objects, kind).length;
  return {
    replicas: find(objects, 'Deployment', 'api').spec.replicas,
    autoscalers: { hpa: count('HorizontalPodAutoscaler'), keda: count('ScaledObject') },
    hpa: () => find(objects, 'HorizontalPodAutoscaler', 'api'),
    scaledObject: () => find(objects, 'ScaledObject', 'api'),
    authentications: namesOf(objects, 'TriggerAuthentication'),
  };
}

describe('a number of pods has one owner', () => {
  test.each([
    ['the output, when it is fixed', Scaling.fixed(3), 3, { hpa: 0, keda: 0 }],
    ['the output, when there shall be no pod', Scaling.fixed(0), 0, { hpa: 0, keda: 0 }],
    ['the HorizontalPodAutoscaler, when it scales', horizontal(), undefined, { hpa: 1, keda: 0 }],
    ['KEDA, when it scales', onEvents(), undefined, { hpa: 0, keda: 1 }],
  ])('%s', (_, scaling, replicas, autoscalers) => {
    const result = rendered(scaling);
    expect(result.replicas).toBe(replicas);
    expect(result.autoscalers).toEqual(autoscalers);
    expect(scaling.replicas).toBe(replicas);
  });
});

test('an autoscaler is in the last wave, because it may be Degraded before the first pods have metrics', () => {
  const last = { 'argocd.argoproj.io/sync-wave': '1000' };
  expect(rendered(horizontal()).hpa().metadata.annotations).toEqual(last);
  expect(rendered(onEvents()).scaledObject().metadata.annotations).toEqual(last);
});

describe('horizontal scaling', () => {
  test('says what is scaled, within which bounds, by what, and nothing else', () => {
    expect(rendered(horizontal()).hpa().spec).toEqual({
      scaleTargetRef: TARGET,
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
      ],
    });
  });

  test('is labelled like what it scales', () => {
    expect(rendered(horizontal()).hpa()).toMatchObject({
      apiVersion: 'autoscaling/v2',
      metadata: { namespace: 'test', labels: { 'app.kubernetes.io/name': 'api' } },
    });
  });

  test('has a pace in the directions that are given', () => {
    const { behavior } = rendered(horizontal({ down: { pods: 1 } })).hpa().spec;
    expect(behavior).toEqual({ scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } });
  });

  test('needs no KEDA', () => {
    expect(rendered(horizontal(), {}).autoscalers.hpa).toBe(1);
  });
});

describe('scaling on events', () => {
  test('says what is scaled, within which bounds, by what, and nothing else', () => {
    const { scaledObject, authentications } = rendered(onEvents());
    expect(scaledObject().spec).toEqual({
      scaleTargetRef: TARGET,
      minReplicaCount: 0,
      maxReplicaCount: 5,
      triggers: [
        {
          type: 'cron',
          metadata: { timezone: 'Etc/UTC', start: '0 8 * * *', end: '0 18 * * *', desiredReplicas: '1' },
        },
      ],
    });
    expect(authentications).toEqual([]);
  });

  test('can have a cooldown, a number for bad times, and a pace', () => {
    const scaling = onEvents({
      min: 1,
      cooldown: Duration.minutes(15),
      fallbackReplicas: 2,
      up: { percent: 100 },
      down: { stabilization: Duration.minutes(10) },
    });
    expect(rendered(scaling).scaledObject().spec).toMatchObject({
      minReplicaCount: 1,
      cooldownPeriod: 900,
      fallback: { failureThreshold: 3, replicas: 2, behavior: 'currentReplicasIfHigher' },
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: {
            scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 60 }] },
            scaleDown: { stabilizationWindowSeconds: 600 },
          },
        },
      },
    });
  });

  test('may fall back to no pod, and keeps those that are at work', () => {
    expect(rendered(onEvents({ fallbackReplicas: 0 })).scaledObject().spec.fallback).toEqual({
      failureThreshold: 3,
      replicas: 0,
      behavior: 'currentReplicasIfHigher',
    });
  });

  test('falls back to nothing unless told so', () => {
    expect(rendered(onEvents()).scaledObject().spec).not.toHaveProperty('fallback');
  });

  describe('of pods whose lost work comes back', () => {
    const longestWork = Duration.minutes(40);
    const specOf = (options: Partial<EventScalingOptions>, target: Partial<DeploymentProps> = { longestWork }) =>
      find(deployed({ scaling: onEvents(options), ...target }, KEDA).objects(), 'ScaledObject', 'api').spec;

    test('waits for it before the last pod goes', () => {
      expect(specOf({ min: 0 }).cooldownPeriod).toBe(2400);
      expect(specOf({ min: 0, cooldown: Duration.hours(1) }).cooldownPeriod).toBe(3600);
      expect(specOf({ min: 0, cooldown: longestWork }).cooldownPeriod).toBe(2400);
    });

    test('is refused when it would not wait', () => {
      expect(() => specOf({ min: 0, cooldown: Duration.seconds(2399) })).toThrow(
        new Error(
          'rag/api: scaling.cooldown is 39 minutes 59 seconds, but work that a pod lost may come back for 40 minutes and ' +
            'needs a pod to take it; raise it to that, or set min to 1',
        ),
      );
    });

    test('has no such wait where a pod stays, or where all work is seen', () => {
      expect(specOf({ min: 1 })).not.toHaveProperty('cooldownPeriod');
      expect(specOf({ min: 1, cooldown: Duration.minutes(1) }).cooldownPeriod).toBe(60);
      expect(specOf({ min: 0 }, {})).not.toHaveProperty('cooldownPeriod');
      expect(specOf({ min: 0, cooldown: Duration.minutes(1) }, {}).cooldownPeriod).toBe(60);
    });
  });

  test('is refused where there is no KEDA', () => {
    expect(() => rendered(onEvents(), {})).toThrow(
      'rag/api: scaling is event-driven, but the cluster declares no KEDA; set keda in the cluster or scale on CPU',
    );
  });

  test('leaves room in the name for what KEDA puts before it', () => {
    const named = (length: number) => deployed({ name: 'a'.repeat(length), scaling: onEvents() }, KEDA);
    expect(namesOf(named(54).objects(), 'ScaledObject')).toEqual(['a'.repeat(54)]);
    expect(() => named(55)).toThrow(
      `rag/api: name is "${'a'.repeat(55)}" (55 characters), but at most 54 are allowed; shorten it`,
    );
  });
});

describe('scaling on a backlog', () => {
  test('asks the backlog for its trigger, and is scaling on events otherwise', () => {
    const asked: number[] = [];
    const backlog = {
      trigger(perReplica: number) {
        asked.push(perReplica);
        return TRIGGER;
      },
    };
    const scaling = Scaling.onBacklog(backlog, { perReplica: 20, min: 0, max: 5, cooldown: Duration.minutes(1) });
    expect(asked).toEqual([20]);
    expect(rendered(scaling).scaledObject().spec).toEqual(
      rendered(onEvents({ cooldown: Duration.minutes(1) })).scaledObject().spec,
    );
  });
});

describe.each([
  ['horizontal', horizontal, 1],
  ['onEvents', onEvents, 0],
])('the bounds of %s', (_, scaling, least) => {
  const bound = fc.integer({ min: -3, max: 20 });

  test('are taken when they can be met', () => {
    const bounds = fc
      .record({ min: fc.integer({ min: least, max: 50 }), more: fc.nat({ max: 50 }) })
      .map(({ min, more }) => ({ min, max: min + more }))
      .filter(({ max }) => max > 0);
    fc.assert(
      fc.property(bounds, ({ min, max }) => {
        expect(scaling({ min, max })).toMatchObject({ min, max, replicas: undefined });
      }),
    );
  });

  test('are refused when they cannot', () => {
    const bounds = fc.record({ min: bound, max: bound }).filter(({ min, max }) => min < least || max < 1 || min > max);
    fc.assert(
      fc.property(bounds, ({ min, max }) => {
        expect(() => scaling({ min, max })).toThrow(/^scaling\.(min|max) is /);
      }),
    );
  });

  test.each([
    ['min', -1],
    ['min', 1.5],
    ['min', Number.NaN],
  ])('are whole: %s of %s', (property, value) => {
    expect(() => scaling({ [property]: value })).toThrow(
      `scaling.${property} is ${value}, but must be a whole number from ${least}`,
    );
  });

  test.each([0, -1, 2.5])('allow at least one pod: max of %s', (max) => {
    expect(() => scaling({ min: least, max })).toThrow(`scaling.max is ${max}, but must be a whole number from 1`);
  });

  test('are in order', () => {
    expect(() => scaling({ min: 4, max: 3 })).toThrow(
      new Error('scaling.min is 4, above max, which is 3; lower min or raise max'),
    );
  });
});

test('horizontal scaling never goes down to no pod', () => {
  expect(() => horizontal({ min: 0 })).toThrow('scaling.min is 0, but must be a whole number from 1');
});

describe('mistakes', () => {
  test.each([-1, 1.5, Number.NaN])('%s fixed replicas', (replicas) => {
    expect(() => Scaling.fixed(replicas)).toThrow(
      new Error(`scaling.replicas is ${replicas}, but must be a whole number from 0`),
    );
  });

  test('no metric', () => {
    expect(() => Scaling.horizontal({ min: 1, max: 2, metrics: [] })).toThrow(
      'scaling.metrics is empty; name at least one metric, such as ScalingMetric.cpu(70)',
    );
  });

  test('no trigger', () => {
    expect(() => Scaling.onEvents({ min: 0, max: 2, triggers: [] })).toThrow(
      'scaling.triggers is empty; name at least one trigger',
    );
  });

  test.each([-1, 0.5])('%s fallback replicas', (fallbackReplicas) => {
    expect(() => onEvents({ fallbackReplicas })).toThrow(
      `scaling.fallbackReplicas is ${fallbackReplicas}, but must be a whole number from 0`,
    );
  });
});

test('nobody can extend what has parts that the package does not promise', () => {
  type Extensible = abstract new (...props: never) => unknown;
  const closed: [
    typeof Scaling extends Extensible ? never : 'closed',
    typeof Gateway extends Extensible ? never : 'closed',
    typeof Ingress extends Extensible ? never : 'closed',
  ] = ['closed', 'closed', 'closed'];
  expect(closed).toHaveLength(3);
});
