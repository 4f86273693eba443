import { z } from 'zod';
import type { IQueue } from '../../constructs/data/queue';
import { UsageError } from '../../constructs/rules/usage-error';
import { Scaling } from '../../constructs/scaling/scaling';
import { checkEventScaling } from '../../constructs/scaling/scaling-bounds';
import { ScalingMetric } from '../../constructs/scaling/scaling-metric';
import { type IBacklog, ScalingTrigger } from '../../constructs/scaling/scaling-trigger';
import { duration, durationOrNone, made } from './environment-values';

const pace = z.strictObject({
  stabilization: durationOrNone.optional().describe('time over which the most careful value counts; 0s looks at now'),
  pods: z.int32().min(1).optional().describe('pods per period'),
  percent: z.int32().min(1).optional().describe('share of the current pods per period'),
  period: duration.optional().describe('the period; by default 1m'),
});

const filled = z.string().regex(/\S/, 'is empty; say what to look at');

const prometheusTrigger = z.strictObject({
  query: filled.describe('PromQL that returns one element'),
  perReplica: z.number().positive().describe('value per pod that is aimed at'),
  activation: z.number().optional().describe('value above which the first pod starts'),
});

const cronTrigger = z.strictObject({
  timeZone: z.string().describe('IANA time zone: Europe/Berlin'),
  start: z.string().describe('five cron fields'),
  end: z.string().describe('five cron fields'),
  replicas: z.int32().min(1).describe('pods in between'),
});

const backlog = z.strictObject({
  list: filled
    .optional()
    .describe('list, queue or topic; by default celery in Redis and RabbitMQ, and elsewhere the queue itself'),
  perReplica: z.int32().min(1).describe('waiting tasks that one worker can take on'),
});

const scalingFields = z.strictObject({
  replicas: z.int32().min(0).optional().describe('a fixed number of pods; nothing else may be set then'),
  min: z.int32().min(0).optional().describe('fewest pods, with an autoscaler'),
  max: z.int32().min(1).optional().describe('most pods, with an autoscaler'),
  cpu: z.int32().min(1).optional().describe('CPU in percent of the request that is aimed at'),
  memory: z.int32().min(1).optional().describe('memory in percent of the request that is aimed at'),
  prometheus: z.array(prometheusTrigger).optional().describe('Prometheus queries to scale on, by KEDA'),
  cron: z.array(cronTrigger).optional().describe('times of day to scale on, by KEDA'),
  cooldown: duration.optional().describe('time without work after which the last pod goes, with KEDA'),
  fallbackReplicas: z.int32().min(0).optional().describe('pods while KEDA cannot read a trigger'),
  up: pace.optional().describe('how fast pods may be added'),
  down: pace.optional().describe('how fast pods may be removed'),
});

const workerScalingFields = scalingFields.extend({
  backlog: backlog.optional().describe("tasks that wait in the platform's queue to scale on, by KEDA"),
});

type ScalingFields = z.output<typeof scalingFields>;
type WorkerScalingFields = z.output<typeof workerScalingFields>;

/** What pods can be scaled on. */
const SOURCES = 'cpu, memory, prometheus or cron';

/** How many pods there are, and who decides. */
export const scaling = made(scalingFields, (input) => scalingOf(input, SOURCES));

/** The same for the workers, which can be scaled on the platform's queue. */
export const workerScaling = made(workerScalingFields, (input): Scaling | ((queue: IQueue) => Scaling) => {
  const { backlog: waiting } = input;
  if (waiting === undefined) {
    return scalingOf(input, `backlog, ${SOURCES}`);
  }
  const props = eventScalingOf(checked(input, SOURCES));
  const triggers = triggersOf(input);
  // Here the line of a mistake is known; the queue is not.
  checkEventScaling(props, triggers);
  return (queue) => {
    const backlog = waitingIn(queue, waiting.list);
    return Scaling.onEvents({ ...props, triggers: [backlog.trigger(waiting.perReplica), ...triggers] });
  };
});

/** What waits in the queue; a queue that has no such list refuses it where the list is named. */
function waitingIn(queue: IQueue, list: string | undefined): IBacklog {
  try {
    return queue.list(list);
  } catch (error) {
    throw error instanceof UsageError
      ? new UsageError(error.problem, { property: 'embeddingWorkers.scaling.backlog.list' })
      : error;
  }
}

function scalingOf(input: ScalingFields, sources: string): Scaling {
  const { replicas, min, max, up, down } = checked(input, sources);
  if (replicas !== undefined) {
    return Scaling.fixed(replicas);
  }
  const triggers = triggersOf(input);
  return triggers.length > 0
    ? Scaling.onEvents({ ...eventScalingOf(input), triggers })
    : Scaling.horizontal({ min: min as number, max: max as number, up, down, metrics: metricsOf(input) });
}

function eventScalingOf({ min, max, up, down, cooldown, fallbackReplicas }: ScalingFields) {
  return { min: min as number, max: max as number, up, down, cooldown, fallbackReplicas };
}

const UTILIZATION = ['cpu', 'memory'] as const;
const EVENTS = ['backlog', 'prometheus', 'cron'] as const;
const EVENT_OPTIONS = ['cooldown', 'fallbackReplicas'] as const;

/** Settings that cannot stand together are refused, and so are those that would do nothing. */
function checked(input: WorkerScalingFields, sources: string): WorkerScalingFields {
  const set = (fields: readonly (keyof WorkerScalingFields)[]) => fields.filter((field) => isSet(input[field]));
  const [utilization, event, eventOptions] = [set(UTILIZATION), set(EVENTS), set(EVENT_OPTIONS)];
  if (input.replicas !== undefined) {
    const others = Object.keys(input).filter((field) => field !== 'replicas');
    if (others.length > 0) {
      throw problem(
        'replicas',
        `is set together with ${others.join(', ')}, but replicas have one owner; keep replicas, or the autoscaler`,
      );
    }
    return input;
  }
  if (input.min === undefined || input.max === undefined) {
    throw problem('', 'needs either replicas, or min and max with something to scale on');
  }
  if (utilization.length > 0 && event.length > 0) {
    throw problem(
      utilization[0] as string,
      `is read by the HorizontalPodAutoscaler, and ${event.join(' and ')} by KEDA, but replicas have one owner; keep one of the two`,
    );
  }
  if (utilization.length + event.length === 0) {
    throw problem('', `has min and max, but nothing to scale on; add ${sources}`);
  }
  if (event.length === 0 && eventOptions.length > 0) {
    throw problem(eventOptions[0] as string, 'is read by KEDA, but nothing here scales by KEDA; remove it');
  }
  return input;
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

function metricsOf({ cpu, memory }: ScalingFields): ScalingMetric[] {
  return [
    ...(cpu === undefined ? [] : [ScalingMetric.cpu(cpu)]),
    ...(memory === undefined ? [] : [ScalingMetric.memory(memory)]),
  ];
}

function triggersOf({ prometheus = [], cron = [] }: ScalingFields): ScalingTrigger[] {
  return [...prometheus.map(ScalingTrigger.prometheus), ...cron.map(ScalingTrigger.cron)];
}

function problem(field: string, text: string): UsageError {
  return new UsageError(text, { property: field === '' ? 'scaling' : `scaling.${field}` });
}
