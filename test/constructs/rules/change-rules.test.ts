import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { type ChangeRule, sameObject } from '../../../constructs/rules/change-rule';
import { ChangeRules } from '../../../constructs/rules/change-rules';
import { manifest, workload } from '../../support/output';

/** Says how many objects there were and are. */
const counting: ChangeRule = {
  name: 'objects are counted',
  check: (before, after) => [`${before.length} to ${after.length}`],
};

describe('the rules', () => {
  test('are those of the app, wherever in it they are added', () => {
    const app = new App();
    const inner = new Construct(new Chart(app, 'one'), 'inner');
    ChangeRules.of(inner).add(counting);
    expect(ChangeRules.of(new Chart(app, 'two'))).toBe(ChangeRules.of(app));
    expect(ChangeRules.of(app).check([], [manifest('Service', 'api')])).toEqual(['0 to 1']);
  });

  test('of one app are none of another', () => {
    ChangeRules.of(new App()).add(counting);
    expect(ChangeRules.of(new App()).check([], [])).toEqual([]);
  });

  test('are asked once, however often they are added, and all of them', () => {
    const rules = ChangeRules.of(new App());
    rules.add(counting);
    rules.add(counting);
    rules.add({ name: 'nothing changes', check: () => ['a changes', 'b changes'] });
    expect(rules.check([], [])).toEqual(['0 to 0', 'a changes', 'b changes']);
  });

  test('warn of what the change costs, and refuse nothing by that', () => {
    const rules = ChangeRules.of(new App());
    rules.add({ ...counting, check: () => [], warn: (before, after) => [`${before.length} to ${after.length}`] });
    expect(rules.check([], [manifest('Service', 'api')])).toEqual([]);
    expect(rules.warn([], [manifest('Service', 'api')])).toEqual(['0 to 1']);
  });

  test('have what holds for autoscalers and namespaces among them in every app', () => {
    const rules = ChangeRules.of(new App());
    const deployment = (replicas?: number) => manifest('Deployment', 'api', { spec: { replicas } });
    const autoscaler = (kind: string) =>
      manifest(kind, 'api', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'api' } } });
    const store = (namespace: string) =>
      manifest('StatefulSet', 'qdrant', { metadata: { namespace }, spec: { volumeClaimTemplates: [{}] } });
    const before = [deployment(), autoscaler('HorizontalPodAutoscaler'), store('one')];
    expect(rules.check(before, [deployment(), autoscaler('ScaledObject'), store('two')])).toHaveLength(2);
    expect(rules.warn([deployment(2)], [deployment(), autoscaler('ScaledObject')])).toHaveLength(1);
  });

  test('have the immutable fields among them in every app', () => {
    const [before, after] = ['qdrant', 'qdrant-headless'].map((serviceName) =>
      workload('StatefulSet', { spec: { serviceName } }),
    );
    const problems = ChangeRules.of(new App()).check([before as never], [after as never]);
    expect(problems).toEqual([expect.stringMatching(/^StatefulSet test\/api: spec\.serviceName changes/)]);
  });
});

describe('the same object', () => {
  const deployment = manifest('Deployment', 'api');

  test('has the same group, kind, namespace and name', () => {
    const others = [
      manifest('StatefulSet', 'api'),
      manifest('Deployment', 'workers'),
      manifest('Deployment', 'api', { metadata: { namespace: 'other' } }),
      manifest('Deployment', 'api', { apiVersion: 'acme.example/v1' }),
    ];
    expect(sameObject(others, deployment)).toBeUndefined();
    expect(sameObject([...others, deployment], manifest('Deployment', 'api'))).toBe(deployment);
  });

  test('may be of another version of its API', () => {
    const older = manifest('Deployment', 'api', { apiVersion: 'apps/v1beta2' });
    expect(sameObject([older], deployment)).toBe(older);
  });

  test('is found in the core group, and without namespace', () => {
    const namespace = manifest('Namespace', 'rag', { metadata: { namespace: undefined } });
    expect(sameObject([manifest('Namespace', 'rag'), namespace], { ...namespace })).toBe(namespace);
  });
});
