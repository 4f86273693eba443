import { z } from 'zod';
import { ExternalService } from '../../constructs/data/external-service';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { ConfigRollout } from '../../constructs/workload/config-rollout';
import { HeapDumps } from '../../constructs/workload/heap-dumps';
import { Jvm } from '../../constructs/workload/jvm';
import { SecretDelivery } from '../../constructs/workload/secret-delivery';
import { SecretRotation } from '../../constructs/workload/secret-rotation';
import {
  command,
  count,
  cpu,
  duration,
  identity,
  image,
  made,
  resources,
  size,
  texts,
  variables,
} from './environment-values';

/** Settings that the pods of every workload have. */
const podFields = {
  nodePool: z.string().optional().describe('node pool to run on'),
  priorityClassName: z.string().optional().describe('PriorityClass, which exists'),
  podLabels: texts.optional().describe('more labels of the pods'),
  podAnnotations: texts.optional().describe('more annotations of the pods'),
  serviceAccountAnnotations: texts.optional().describe('annotations of the ServiceAccount'),
  identity: identity.optional().describe('who the pods are to a cloud'),
};

/** How often a Job is tried, with what holds where nothing is said. */
export function retriesField(usual = 3) {
  return z.int32().min(0).optional().describe(`pods that may fail before it has failed; by default ${usual}`);
}

/** Settings of a Job. */
export function jobFields(retries?: number) {
  return { ...podFields, retries: retriesField(retries) };
}

/** Settings of a Job whose program is the library's own. */
export function libraryJobFields(retries?: number) {
  return {
    ...jobFields(retries),
    cpuLimit: cpu.optional().describe('most CPU that the program may use; without it there is no limit'),
  };
}

/** Settings that every workload has. */
export function workloadFields(secrets: ISecretSource) {
  return {
    env: variables(secrets).optional().describe('variables of the container; $(NAME) is the value of another'),
    envNames: texts.optional().describe('names under which the image expects what the platform gives'),
    ...podFields,
    secretRotation: secretRotation
      .optional()
      .describe('what follows a new value of a Secret; by default a restart, where the cluster has Reloader'),
    configRollout: configRollout
      .optional()
      .describe('how configuration files change: checksum in place, immutable in a ConfigMap for each content'),
  };
}

const secretRotation = made(
  z.union(
    [
      z.enum(['reloader', 'reread']),
      z.strictObject({ revision: z.string().describe('a text that is changed with the Secret: 2026-11-28') }),
    ],
    { error: 'must be reloader, reread, or { revision: text } whose text is changed with the Secret' },
  ),
  (input) => {
    if (typeof input === 'object') {
      return SecretRotation.revision(input.revision);
    }
    return { reloader: SecretRotation.RELOADER, reread: SecretRotation.REREAD }[input];
  },
);

const configRollout = z
  .enum(['checksum', 'immutable'])
  .transform((name) => ({ checksum: ConfigRollout.CHECKSUM, immutable: ConfigRollout.IMMUTABLE })[name]);

const secretDelivery = z
  .enum(['env', 'files', 'both'])
  .transform((name) => ({ env: SecretDelivery.ENV, files: SecretDelivery.FILES, both: SecretDelivery.BOTH })[name]);

const jvm = made(
  z.strictObject({
    heap: count.optional().describe('percent of the memory limit that the heap may take; by default 75'),
    heapDumps: z.boolean().optional().describe('whether the heap is dumped when memory is out; by default false'),
    processors: count.optional().describe('processors that it counts on; by default the CPU limit, or the node'),
    options: z.array(z.string()).optional().describe('more options: -XX:+UseZGC'),
  }),
  ({ heapDumps, ...props }) => Jvm.of({ ...props, heapDumps: heapDumps === true ? HeapDumps.SCRATCH : undefined }),
);

/** Settings of every workload whose program is the user's own. */
function programOptions(secrets: ISecretSource) {
  return {
    files: texts
      .optional()
      .describe('configuration files by absolute path: prompts, settings of models, feature flags'),
    secretDelivery: secretDelivery
      .optional()
      .describe('how it gets the values of Secrets: env, files or both; by default env'),
    jvm: jvm.optional().describe('how the JVM that runs it uses its container'),
    ...workloadFields(secrets),
  };
}

/** What a workload has where nothing is said, as its construct has it. */
interface UsualSettings {
  readonly resources: string;
  readonly temporaryStorage: string;
}

/** Settings of a program of the user's own, whose image may be that of another. */
export function programFields(secrets: ISecretSource, usual: UsualSettings) {
  return {
    args: z.array(z.string()).optional().describe("arguments; by default the image's"),
    resources: resources.optional().describe(`what each pod asks for; by default ${usual.resources}`),
    temporaryStorage: size.optional().describe(`space at /tmp; by default ${usual.temporaryStorage}`),
    user,
    externals: z.array(external(secrets)).optional().describe('hosts outside the cluster that it connects to'),
    ...programOptions(secrets),
  };
}

/** Settings of a server or worker of the user's own. */
export function serviceFields(secrets: ISecretSource, usual: UsualSettings & { readonly startupBudget: string }) {
  return {
    image: image.describe('what runs'),
    command: command.optional().describe("program and first arguments; by default the image's"),
    startupBudget: duration.optional().describe(`time that a pod may take to start; by default ${usual.startupBudget}`),
    ...programFields(secrets, usual),
  };
}

/** User and group of a process. */
export const user = z
  .strictObject({ uid: z.int32().min(1).describe('user id'), gid: z.int32().min(0).describe('group id') })
  .optional()
  .describe('user and group of the process; by default 10001');

function external(secrets: ISecretSource) {
  return made(
    z.strictObject({
      host: z.string().describe('host outside the cluster: api.openai.com'),
      port: z.int32().meta({ minimum: 1, maximum: 65535 }).optional().describe('by default 443'),
      cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
      http: z.boolean().optional().describe('whether it is spoken to by HTTP; by default on the ports 80 and 443'),
      env: variables(secrets).optional().describe('variables that say how to use it: its URL, its key'),
    }),
    (props) => new ExternalService(props),
  );
}
