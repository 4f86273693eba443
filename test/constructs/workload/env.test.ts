import { Duration, Size } from 'cdk8s';
import { RagApi } from '../../../constructs/api/rag-api';
import { EmbeddingWorkers } from '../../../constructs/ingestion/embedding-workers';
import { Qdrant } from '../../../constructs/vector-store/qdrant';
import { EnvValue } from '../../../constructs/workload/env-value';
import { mainContainer, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { IMAGE, KEY, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const BY_LIBRARY =
  'is a variable that the library sets itself, because its programs and probes rely on the value; leave it out of env';

describe('what the library sets itself', () => {
  const value = (text: string) => EnvValue.of(text);
  const image = IMAGE;

  test('cannot be taken away from Qdrant', () => {
    const props = { resources: RESOURCES, storage: Size.gibibytes(1), apiKey: KEY };
    const env = { QDRANT_INIT_FILE_PATH: value('') };
    expect(refusalOf(() => new Qdrant(testChart(), 'qdrant', { ...props, env })).message).toBe(
      `rag/qdrant/Resource: env.QDRANT_INIT_FILE_PATH ${BY_LIBRARY}`,
    );
  });

  test.each(['WORKER_HEARTBEAT_FILE', 'LONGEST_TASK_SECONDS'])('cannot be changed for workers: %s', (name) => {
    const create = () => new EmbeddingWorkers(testChart(), 'workers', { image, env: { [name]: value('/elsewhere') } });
    expect(refusalOf(create).message).toBe(`rag/workers/Resource: env.${name} ${BY_LIBRARY}`);
  });

  test('cannot be changed for the API, and the value is not repeated', () => {
    const env = { OTHER: value('fine'), LONGEST_ANSWER_SECONDS: value('hunter2') };
    const longestAnswer = Duration.minutes(1);
    const refusal = refusalOf(() => new RagApi(testChart(), 'api', { image, longestAnswer, env }));
    expect(refusal.message).toBe(`rag/api/Resource: env.LONGEST_ANSWER_SECONDS ${BY_LIBRARY}`);
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });

  test('can be changed in the rendered pod', () => {
    const { object } = deployed({
      container: { ...CONTAINER, env: { MODE: value('safe') } },
      podOverrides: { containers: [{ name: 'api', env: [{ name: 'MODE', value: 'fast' }] }] },
    });
    expect(mainContainer(object()).env).toEqual([{ name: 'MODE', value: 'fast' }]);
  });
});

describe('the name of a variable', () => {
  const problem = (name: string) =>
    `is "${name}", but the name of a variable consists of letters, digits, "-", "_" and ".", and does not begin with a digit`;

  test.each(['A', '_a', 'spring.profiles.active', 'a-b', '-9', '.a'])('may be %s', (name) => {
    const { object } = deployed({ env: { [name]: EnvValue.of('x') } });
    expect(mainContainer(object()).env).toEqual([{ name, value: 'x' }]);
  });

  test.each(['', '9A', 'A B', 'A=B', 'Ä', '.', '..', '..a'])('cannot be "%s"', (name) => {
    const env = { [name]: EnvValue.of('x') };
    expect(() => deployed({ env })).toThrow(new Error(`rag/api: env.${name} ${problem(name)}`));
    const sidecar = { name: 'sidecar', image: IMAGE, resources: RESOURCES, env };
    expect(() => deployed().construct.addContainer(sidecar)).toThrow(
      new Error(`rag/api: env.${name} ${problem(name)}`),
    );
  });

  test('is one under which an image expects something', () => {
    expect(() => deployed({ envNames: { QDRANT_URL: '9_URL' } })).toThrow(
      new Error(`rag/api: envNames.QDRANT_URL ${problem('9_URL')}`),
    );
  });

  test('is one that a provider gives', () => {
    const provider = { offerTo: () => ({ endpoints: [], env: { '9_URL': EnvValue.of('x') } }) };
    expect(() => deployed().construct.uses(provider)).toThrow(
      new Error(`rag/api: variable of uses(provider) ${problem('9_URL')}`),
    );
  });

  test('has the beginning that a provider is told', () => {
    const { chart, construct } = deployed();
    const props = { resources: RESOURCES, storage: Size.gibibytes(1), apiKey: KEY, envPrefix: '2ND' };
    expect(() => construct.uses(new Qdrant(chart, 'qdrant', props))).toThrow(
      new Error(`rag/api: variable of uses(qdrant) ${problem('2ND_URL')}`),
    );
  });
});
