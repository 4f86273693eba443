import { z } from 'zod';
import { dnsLabelProblem } from '../../constructs/rules/object-name';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { command, cron, duration, image, judged } from './environment-values';
import { programFields, retriesField } from './environment-workload';

/** Settings of a program of the ingestion beside the workers. */
function ingestionFields(secrets: ISecretSource) {
  return {
    image: image.optional().describe('what runs; by default the image of the workers, or else of the API'),
    command: command.min(1, 'is empty; name a program').describe('program and first arguments'),
    ...programFields(secrets, { resources: '250m CPU and 512Mi', temporaryStorage: '1Gi' }),
  };
}

/** How often and how long a program is tried. */
const tries = {
  deadline: duration.optional().describe('time after which it is stopped and has failed; by default 1h'),
  retries: retriesField(),
};

/** What fills the collection for the first time. */
export function index(secrets: ISecretSource) {
  return z.strictObject({
    ...ingestionFields(secrets),
    ...tries,
    beforeApi: z.boolean().optional().describe('whether the API waits for it at every sync; by default false'),
  });
}

/** What brings the collection up to date with its sources. */
export function syncs(secrets: ISecretSource) {
  const sync = z
    .strictObject({
      cron: cron.describe('when: "*/30 * * * *"'),
      timeZone: z.string().optional().describe('IANA name; by default Etc/UTC'),
      startingDeadline: duration.optional().describe('how late a run may start; by default 10m'),
      ...ingestionFields(secrets),
      ...tries,
    })
    .transform(({ cron: schedule, ...props }) => ({ ...props, schedule }));
  return z.record(
    judged((name) => dnsLabelProblem(name)),
    sync,
  );
}

/** What puts tasks into the queue by the clock. */
export function scheduler(secrets: ISecretSource) {
  return z.strictObject(ingestionFields(secrets));
}
