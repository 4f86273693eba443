import { z } from 'zod';
import { ExternalService } from '../../constructs/data/external-service';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { duration, identity, image, made, resources, size, texts, variables } from './environment-values';

/** Settings that every workload has. */
export function workloadFields(secrets: ISecretSource) {
  return {
    env: variables(secrets).optional().describe('variables of the container'),
    envNames: texts.optional().describe('names under which the image expects what the platform gives'),
    nodePool: z.string().optional().describe('node pool to run on'),
    priorityClassName: z.string().optional().describe('PriorityClass, which exists'),
    podLabels: texts.optional().describe('more labels of the pods'),
    podAnnotations: texts.optional().describe('more annotations of the pods'),
    serviceAccountAnnotations: texts.optional().describe('annotations of the ServiceAccount'),
    identity: identity.optional().describe('who the pods are to a cloud'),
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
    ...workloadFields(secrets),
  };
}

/** Settings of a server or worker of the user's own. */
export function serviceFields(secrets: ISecretSource, usual: UsualSettings & { readonly startupBudget: string }) {
  return {
    image: image.describe('what runs'),
    command: z.array(z.string()).optional().describe("program and first arguments; by default the image's"),
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
      env: variables(secrets).optional().describe('variables that say how to use it: its URL, its key'),
    }),
    (props) => new ExternalService(props),
  );
}
