import { z } from 'zod';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { identity, texts, variables } from './environment-values';

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
