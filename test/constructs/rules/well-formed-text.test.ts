import { ApiObject, App, Chart } from 'cdk8s';
import { RenderedEnvironment } from '../../../charts/rendered-environment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { render } from '../../support/manifests';
import { CONTAINER, deployed } from '../../support/workloads';

const HALF = 'a\ud83d';
const SAYS = 'has half of a surrogate pair, which UTF-8 cannot express; remove it, or write the whole character';

describe('half of a surrogate pair is refused', () => {
  test.each([
    [
      'in a variable',
      { container: { ...CONTAINER, env: { TEXT: EnvValue.of(HALF) } } },
      /Deployment test\/api: spec\.template\.spec\.containers\.0\.env\.\d+\.value/,
    ],
    [
      'in an argument',
      { container: { ...CONTAINER, args: ['--all', HALF] } },
      /Deployment test\/api: spec\.template\.spec\.containers\.0\.args\.1/,
    ],
    ['in a file', { files: { '/etc/api/file': HALF } }, /ConfigMap test\/api: data\.file/],
    [
      'in an annotation',
      { podAnnotations: { note: HALF } },
      /Deployment test\/api: spec\.template\.metadata\.annotations\.note/,
    ],
  ])('%s', (_, props, place) => {
    const { chart } = deployed(props);
    expect(() => render(chart)).toThrow(new RegExp(`${place.source} ${SAYS}`));
  });

  test('in an object that is under no rule, when it is written', () => {
    const app = new App();
    const data = (values: object) =>
      new ApiObject(new Chart(app, `c${app.node.children.length}`), 'o', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        ...values,
      });
    data({ data: { whole: '😀', [HALF]: 'x', list: ['\udc00'] } });
    expect(() => new RenderedEnvironment(app, 'test')).toThrow(
      new Error([`test ConfigMap a: a key of data ${SAYS}`, `test ConfigMap a: data.list.0 ${SAYS}`].join('\n')),
    );
  });
});

test('whole characters outside the basic plane are kept', () => {
  const { chart } = deployed({ podAnnotations: { note: '😀' } });
  expect(() => render(chart)).not.toThrow();
});
