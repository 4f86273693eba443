import { Duration } from 'cdk8s';
import { Gateway } from '../../../constructs/edge/gateway';
import { Route } from '../../../constructs/edge/route';
import { Deployment, type DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import type { IProvider } from '../../../constructs/workload/provider';
import type { WorkloadOfferProps } from '../../../constructs/workload/workload-offer';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { CONTAINER, deployed } from '../../support/workloads';

const HTTP = { name: 'http', number: 3000 };

function offered(props: Partial<DeploymentProps> = {}, id = 'web-ui') {
  const chart = testChart();
  const ui = new Deployment(chart, id, { component: 'ui', container: { ...CONTAINER, ports: [HTTP] }, ...props });
  const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
  const use = (offer: WorkloadOfferProps) => {
    client.uses(ui.offer(offer));
    return mainContainer(find(render(chart), 'Deployment', 'client')).env;
  };
  return { chart, ui, client, use };
}

describe('a workload that others use', () => {
  test('tells its host and port', () => {
    const { ui, use } = offered();
    ui.addService({ ports: [HTTP] });
    expect(use({ port: HTTP })).toEqual([
      { name: 'WEB_UI_HOST', value: 'web-ui' },
      { name: 'WEB_UI_PORT', value: '3000' },
    ]);
  });

  test('tells what else it is told to, which may be made of them', () => {
    const { ui, use } = offered();
    ui.addService({ name: 'front', ports: [HTTP] });
    const env = { UI_URL: EnvValue.template('http://$(WEB_UI_HOST):$(WEB_UI_PORT)/v1') };
    expect(use({ port: HTTP, service: 'front', env })).toEqual([
      { name: 'WEB_UI_HOST', value: 'front' },
      { name: 'WEB_UI_PORT', value: '3000' },
      { name: 'UI_URL', value: 'http://$(WEB_UI_HOST):$(WEB_UI_PORT)/v1' },
    ]);
  });

  test('gives variables that are none to nobody, whatever it is called', () => {
    const { ui, use } = offered({}, '2nd');
    ui.addService({ name: 'second', ports: [HTTP] });
    expect(use({ port: HTTP, service: 'second' })[0]).toEqual({ name: '_2ND_HOST', value: 'second' });
  });

  test('lets in its clients, on that port', () => {
    const { chart, ui, use } = offered();
    ui.addService({ ports: [HTTP] });
    use({ port: HTTP });
    expect(find(render(chart), 'NetworkPolicy', 'web-ui').spec.ingress).toEqual([
      {
        from: [
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'client', 'app.kubernetes.io/instance': 'rag' } } },
        ],
        ports: [{ port: 3000, protocol: 'TCP' }],
      },
    ]);
  });

  test('can be what a Route leads to, which waits as long as a pod that stops can answer', () => {
    const { chart, ui } = offered({
      gracePeriod: Duration.seconds(90),
      container: { ...CONTAINER, ports: [HTTP], preStopDelay: Duration.seconds(15) },
    });
    ui.addService({ ports: [HTTP] });
    const via = Gateway.named('shared', { namespace: 'gateways' });
    new Route(chart, 'public', { to: ui.offer({ port: HTTP }), host: 'ui.acme.example', via });
    const [rule] = find(render(chart), 'HTTPRoute', 'public').spec.rules;
    expect(rule.timeouts.request).toBe('75s');
    expect(rule.backendRefs[0]).toMatchObject({ name: 'web-ui', port: 3000 });
  });
});

describe('an address that no Service has', () => {
  test('is refused when nobody creates the Service', () => {
    const { chart, ui } = offered();
    ui.endpoint(HTTP);
    expect(() => render(chart)).toThrow(
      'rag/web-ui: endpoint leads to port 3000 of Service "web-ui", which nobody creates; give addService that port',
    );
  });

  test('is refused when the Service has other ports', () => {
    const { chart, ui } = offered();
    ui.addService({ name: 'front', ports: [HTTP, { name: 'admin', number: 3001 }] });
    ui.endpoint({ name: 'http', number: 8080 }, 'front');
    expect(() => render(chart)).toThrow(
      'rag/web-ui: endpoint leads to port 8080 of Service "front", whose ports are 3000, 3001; give addService that port',
    );
  });

  test('may be asked for before the Service is there', () => {
    const { chart, ui } = offered();
    ui.endpoint(HTTP, 'front');
    ui.addService({ name: 'front', ports: [HTTP] });
    expect(() => render(chart)).not.toThrow();
  });
});

describe('what is no provider', () => {
  const using = (given: unknown) => () => deployed().construct.uses(given as IProvider);

  test('is a workload by itself', () => {
    expect(using(offered().ui)).toThrow(
      new Error(
        'rag/api: uses got "web-ui", a workload, which offers nothing by itself; use what its offer({ port }) returns',
      ),
    );
  });

  test.each([
    ['nothing', undefined],
    ['nothing', null],
    ['Object', {}],
    ['String', 'qdrant'],
  ])('is %s', (name, given) => {
    expect(using(given)).toThrow(new Error(`rag/api: uses got ${name}, which is no provider: it has no offerTo`));
  });
});
