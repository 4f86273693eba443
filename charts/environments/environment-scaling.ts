import { z } from 'zod';
import { UsageError } from '../../constructs/rules/usage-error';
import { Scaling } from '../../constructs/scaling/scaling';
import { ScalingMetric } from '../../constructs/scaling/scaling-metric';
import { ScalingTrigger } from '../../constructs/scaling/scaling-trigger';
import type { QueueScalingProps } from '../rag-platform';
import { duration, made } from './environment-values';

const pace = z.strictObject({
  stabilization: duration.optional().describe('time over which the most careful value counts'),
  pods: z.int().min(1).optional().describe('pods per period'),
  percent: z.int().min(1).optional().describe('share of the current pods per period'),
  period: duration.optional().describe('the period; by default 1m'),
});

const prometheusTrigger = z.strictObject({
  query: z.string().describe('PromQL that returns one element'),
  perReplica: z.number().positive().describe('value per pod that is aimed at'),
  activation: z.number().optional().describe('value above which the first pod starts'),
});

const cronTrigger = z.strictObject({
  timezone: z.string().describe('IANA time zone: Europe/Berlin'),
  start: z.string().describe('five cron fields'),
  end: z.string().describe('five cron fields'),
  replicas: z.int().min(1).describe('pods in between'),
});

const backlogTrigger = z.strictObject({
  list: z.string().optional().describe('list in the queue; by default celery'),
  perReplica: z.number().positive().describe('waiting tasks that one worker can take on'),
});

const fields = {
  replicas: z.int().min(0).optional().describe('a fixed number of pods; nothing else may be set then'),
  min: z.int().min(0).optional().describe('fewest pods, with an autoscaler'),
  max: z.int().min(1).optional().describe('most pods, with an autoscaler'),
  cpu: z.int().min(1).optional().describe('CPU in percent of the request that is aimed at'),
  memory: z.int().min(1).optional().describe('memory in percent of the request that is aimed at'),
  prometheus: z.array(prometheusTrigger).optional().describe('Prometheus queries to scale on, by KEDA'),
  cron: z.array(cronTrigger).optional().describe('times of day to scale on, by KEDA'),
  up: pace.optional().describe('how fast pods may be added'),
  down: pace.optional().describe('how fast pods may be removed'),
  cooldown: duration.optional().describe('time without work after which the last pod goes, with KEDA'),
  fallbackReplicas: z.int().min(0).optional().describe('pods while KEDA cannot read a trigger'),
};

const scalingFields = z.strictObject(fields);
const queueScalingFields = z.strictObject({
  ...fields,
  backlog: backlogTrigger.optional().describe('scales on waiting tasks in the queue, by KEDA'),
});

type Fields = z.output<typeof queueScalingFields>;

/** How many pods there are, and who decides. */
export const scaling = made(scalingFields, (input) => toScaling(input));

/** The same, with the platform's queue to scale on. */
export const queueScaling = made(
  queueScalingFields,
  (input): { readonly scaling?: Scaling; readonly backlog?: QueueScalingProps } =>
    input.backlog === undefined ? { scaling: toScaling(input) } : { backlog: toBacklog(input, input.backlog) },
);

function toScaling(input: Fields): Scaling {
  checkOneOwner(input);
  if (input.replicas !== undefined) {
    return Scaling.fixed(input.replicas);
  }
  const triggers = triggersOf(input);
  return triggers.length > 0
    ? Scaling.onEvents({ ...options(input), triggers })
    : Scaling.horizontal({ ...options(input), metrics: metricsOf(input) });
}

function toBacklog(input: Fields, backlog: z.output<typeof backlogTrigger>): QueueScalingProps {
  checkOneOwner(input);
  const props = { ...options(input), ...backlog, triggers: triggersOf(input) };
  // The bounds are checked here, where the line is known; the trigger itself needs the queue.
  Scaling.onEvents({ ...props, triggers: [ScalingTrigger.cron({ timezone: '', start: '', end: '', replicas: 1 })] });
  return props;
}

function checkOneOwner(input: Fields): void {
  const { replicas, ...autoscaling } = input;
  const set = Object.keys(autoscaling).filter((key) => autoscaling[key as keyof typeof autoscaling] !== undefined);
  if (replicas !== undefined && set.length > 0) {
    throw problem(
      'replicas',
      `is set together with ${set.join(', ')}, but replicas have one owner; keep replicas, or the autoscaler`,
    );
  }
  if (replicas === undefined && (input.min === undefined || input.max === undefined)) {
    throw problem('', 'needs either replicas, or min and max with something to scale on');
  }
  const events = [input.prometheus, input.cron, input.backlog].some((trigger) => trigger !== undefined);
  const utilization = [input.cpu, input.memory].some((percent) => percent !== undefined);
  if (events && utilization) {
    throw problem(
      'cpu',
      'and memory are read by the HorizontalPodAutoscaler, and the others by KEDA; keep one of the two',
    );
  }
  if (replicas === undefined && !events && !utilization) {
    throw problem('', 'has min and max, but nothing to scale on; add cpu, memory, prometheus, cron or backlog');
  }
}

function options(input: Fields) {
  const { min, max, up, down, cooldown, fallbackReplicas } = input;
  return { min: min as number, max: max as number, up, down, cooldown, fallbackReplicas };
}

function metricsOf({ cpu, memory }: Fields): ScalingMetric[] {
  return [
    ...(cpu === undefined ? [] : [ScalingMetric.cpu(cpu)]),
    ...(memory === undefined ? [] : [ScalingMetric.memory(memory)]),
  ];
}

function triggersOf({ prometheus = [], cron = [] }: Fields): ScalingTrigger[] {
  return [...prometheus.map(ScalingTrigger.prometheus), ...cron.map(ScalingTrigger.cron)];
}

function problem(field: string, text: string): UsageError {
  return new UsageError(text, { property: field === '' ? 'scaling' : `scaling.${field}` });
}
