import { type Chart, Size } from 'cdk8s';
import { Kafka, type KafkaProps } from '../../../constructs/data/kafka';
import type { KafkaTopicProps } from '../../../constructs/data/kafka-topic';
import type { Json } from '../../../constructs/rules/output';
import { render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';

function chartWith(props: KafkaProps = {}, topic: KafkaTopicProps = {}) {
  const chart = testChart({ strimzi: { namespace: 'strimzi' }, apiServer: { cidrs: ['10.0.0.1/32'] } });
  new Kafka(chart, 'log', props).topic('documents', topic);
  return chart;
}

const step = (from: KafkaProps, to: KafkaProps) => problemsOfStep(render(chartWith(from)), chartWith(to));

const topicStep = (from: KafkaTopicProps, to: KafkaTopicProps) =>
  problemsOfStep(render(chartWith({}, from)), chartWith({}, to));

/** The step from a pool of nodes that somebody changed by hand. */
function stepFrom(change: (pool: Json) => void) {
  return problemsOfStep(changed(render(chartWith()), 'KafkaNodePool', 'log-nodes', change), chartWith());
}

const ANOTHER =
  'create another Kafka of another name, point those who send at it, let the consumers of this one read to the end, ' +
  'point them at the other, and remove this one';

describe('nodes', () => {
  test('may stay, and their volumes may grow', () => {
    expect(step({}, {})).toEqual([]);
    expect(step({ storage: Size.gibibytes(50) }, { storage: Size.tebibytes(1) })).toEqual([]);
    expect(problemsOfStep([], chartWith())).toEqual([]);
  });

  test.each([
    [3, 5],
    [5, 3],
    [1, 3],
  ])('keep their number: not from %d to %d', (from, to) => {
    expect(step({ replicas: from }, { replicas: to })).toContain(
      `KafkaNodePool test/log-nodes: spec.replicas goes from ${from} to ${to}, but controllers vote, and their number is ` +
        `final; keep ${from}, or ${ANOTHER}`,
    );
  });

  test('that do not vote may become fewer', () => {
    const brokers = (chart: Chart) =>
      changed(render(chart), 'KafkaNodePool', 'log-nodes', ({ spec }) => {
        spec.roles = ['broker'];
      });
    const after = chartWith({ replicas: 4 });
    expect(problemsOfStep(brokers(chartWith({ replicas: 5 })), after, brokers(after))).toEqual([]);
    expect(problemsOfStep(brokers(chartWith({ replicas: 5 })), after)).toHaveLength(1);
  });

  test('keep the size of their volumes', () => {
    expect(step({ storage: Size.gibibytes(50) }, { storage: Size.gibibytes(40) })).toEqual([
      'KafkaNodePool test/log-nodes: spec.storage.volumes[id=0].size goes from 50Gi to 40Gi, but a volume never becomes ' +
        `smaller; keep 50Gi, or ${ANOTHER}`,
    ]);
  });

  test('keep the class of their volumes', () => {
    expect(step({ storageClass: 'fast' }, { storageClass: 'slow' })).toEqual([
      'KafkaNodePool test/log-nodes: spec.storage.volumes[id=0].class goes from fast to slow, but volumes that exist stay ' +
        `what they are; keep fast, or ${ANOTHER}`,
    ]);
  });

  test('keep their volumes', () => {
    const problems = stepFrom(({ spec }) => {
      spec.storage.volumes.push({ id: 1, type: 'persistent-claim', size: '50Gi' });
    });
    expect(problems).toEqual([
      'KafkaNodePool test/log-nodes: spec.storage.volumes[id=1] goes away, and with it the partitions that are on it; keep ' +
        `it, or ${ANOTHER}`,
    ]);
  });

  test('are not compared where somebody removed what they are', () => {
    expect(
      stepFrom((pool) => {
        delete pool.spec;
      }),
    ).toEqual([]);
  });
});

describe('a topic', () => {
  test('may have more partitions, and another retention', () => {
    expect(topicStep({ partitions: 6 }, { partitions: 12 })).toEqual([]);
  });

  test('never has fewer partitions', () => {
    expect(topicStep({ partitions: 12 }, { partitions: 6 })).toEqual([
      'KafkaTopic test/documents: spec.partitions goes from 12 to 6, but a topic never has fewer; keep 12, or make a topic ' +
        'of another name, point those who send at it, and remove this one when it was read to the end',
    ]);
  });

  test.each([
    [2, 3],
    [3, 2],
  ])('keeps its copies: not from %d to %d', (from, to) => {
    expect(topicStep({ replicas: from }, { replicas: to })).toEqual([
      `KafkaTopic test/documents: spec.replicas goes from ${from} to ${to}, but the operator does not move copies without ` +
        `Cruise Control; keep ${from}, or move them with kafka-reassign-partitions.sh, and then remove the file of its last ` +
        'render so that there is nothing to compare, render again and sync',
    ]);
  });

  test('has other copies where Cruise Control moves them', () => {
    const chart = chartWith({}, { replicas: 2 });
    const after = changed(render(chart), 'Kafka', 'log', ({ spec }) => {
      spec.cruiseControl = {};
    });
    expect(problemsOfStep(render(chartWith()), chart, after)).toEqual([]);
  });
});
