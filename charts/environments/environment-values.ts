import { Cron, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { z } from 'zod';
import { Architecture } from '../../constructs/placement/architecture';
import { cronProblem } from '../../constructs/rules/cron-fields';
import { envNameProblem } from '../../constructs/rules/object-name';
import { UsageError } from '../../constructs/rules/usage-error';
import { LARGEST_NUMBER } from '../../constructs/rules/whole-number';
import { CertificateIssuer } from '../../constructs/secrets/certificate-issuer';
import { CloudIdentity } from '../../constructs/secrets/cloud-identity';
import { SecretKey } from '../../constructs/secrets/secret-key';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { ServerCertificate } from '../../constructs/secrets/server-certificate';
import { EnvValue } from '../../constructs/workload/env-value';
import { Image } from '../../constructs/workload/image';

/**
 * A schema whose values become values of the library. What the library refuses is reported at the line of
 * the file; the property that it names is looked for below the value.
 */
export function made<Schema extends z.ZodType, Value>(schema: Schema, make: (input: z.output<Schema>) => Value) {
  return schema.transform((input, context): Value => {
    try {
      return make(input);
    } catch (error) {
      if (!(error instanceof UsageError)) {
        throw error;
      }
      const [, ...below] = error.property.split('.');
      context.addIssue({ code: 'custom', message: error.problem, path: below });
      return z.NEVER;
    }
  });
}

/** A text in which the library finds nothing wrong. */
export function judged(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) {
      context.addIssue({ code: 'custom', message });
    }
  });
}

/** A text of a certain form; the message shows what stands there instead. */
export function form(pattern: RegExp, expected: string) {
  const error = (issue: { readonly input?: unknown }) =>
    issue.input === undefined ? 'is missing' : `is ${shown(issue.input)}, but must be ${expected}`;
  return z.string({ error }).regex(pattern, { error });
}

/** A value as a message shows it. Maps and lists are not repeated: there may be a secret in them. */
export function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'a list' : 'a map';
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

const DURATION_OF: { readonly [unit: string]: (amount: number) => Duration } = {
  s: Duration.seconds,
  m: Duration.minutes,
  h: Duration.hours,
  d: Duration.days,
};

/** A time span: `30s`, `4m`, `2h`. */
export const duration = durationOf(/^([1-9]\d*)(s|m|h|d)$/);

/** A time span that may be none: `0s`. */
export const durationOrNone = durationOf(/^(0|[1-9]\d*)(s|m|h|d)$/);

function durationOf(pattern: RegExp) {
  return form(pattern, 'a duration with its unit, such as 30s, 4m or 2h')
    .transform((text) => {
      const [, amount, unit] = pattern.exec(text) as unknown as [string, string, string];
      return (DURATION_OF[unit] as (amount: number) => Duration)(Number(amount));
    })
    .refine((time) => time.toSeconds() <= LARGEST_NUMBER, `is longer than ${LARGEST_NUMBER} seconds; shorten it`);
}

const SIZE = /^([1-9]\d*)(Mi|Gi|Ti)$/;
/** 7 EiB; from 8 EiB on a number of bytes has more than 63 bits. */
const LARGEST_SIZE = 7 * 1024 ** 4;
const MEBIBYTES: { readonly [unit: string]: number } = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** A time of the day: `02:30`. */
export const timeOfDay = form(TIME, 'a time of the day, such as "02:30"').transform((text) => {
  const [hour, minute] = text.split(':').map(Number) as [number, number];
  return { hour, minute };
});

const CRON = /^\S+ \S+ \S+ \S+ \S+$/;

/** Minute, hour, day, month and weekday. */
export const cron = form(CRON, 'five fields: minute, hour, day, month, weekday')
  .superRefine((text, context) => {
    const message = CRON.test(text) ? cronProblem(text) : undefined;
    if (message !== undefined) {
      context.addIssue({ code: 'custom', message });
    }
  })
  .transform((text) => {
    const [minute, hour, day, month, weekDay] = text.split(' ');
    return Cron.schedule({ minute, hour, day, month, weekDay });
  });

/** An amount of memory or disk: `512Mi`, `100Gi`. */
export const size = form(SIZE, 'a size with its unit, such as 512Mi or 100Gi')
  .transform((text) => {
    const [, amount, unit] = SIZE.exec(text) as unknown as [string, string, string];
    return Number(amount) * (MEBIBYTES[unit] as number);
  })
  .refine((mebibytes) => mebibytes <= LARGEST_SIZE, 'is more than the 7 EiB that Kubernetes can count; lower it')
  .transform((mebibytes) => Size.mebibytes(mebibytes));

const CPU = /^(?!0+(\.0+)?m?$)(\d+m|\d+(\.\d{1,3})?)$/;

/** An amount of CPU: `500m`, `2`, `0.5`. */
export const cpu = z
  .union([z.number(), z.string()], { error: cpuMessage })
  .refine((amount) => CPU.test(String(amount)), { error: cpuMessage })
  .transform((amount) => {
    const text = String(amount);
    return text.endsWith('m') ? Number(text.slice(0, -1)) : Math.round(Number(text) * 1000);
  })
  .refine((millis) => millis <= LARGEST_NUMBER, `is more than ${LARGEST_NUMBER}m; lower it`)
  .transform((millis) => Cpu.millis(millis));

function cpuMessage({ input }: { input?: unknown }): string {
  return input === undefined ? 'is missing' : `is ${shown(input)}, but must be an amount of CPU such as 500m or 2`;
}

/** A number of things; editors know that there is at least one, and what is below is refused by what takes it. */
export const count = z.int32().meta({ minimum: 1 });

/** What a container asks for. */
export const resources = z.strictObject({
  cpu: cpu.describe('CPU that the scheduler reserves: 500m, 2'),
  cpuLimit: cpu.optional().describe('most CPU that the container may use; without it there is no limit'),
  memory: size.describe('memory that the scheduler reserves: 512Mi, 16Gi'),
  memoryLimit: size.optional().describe('memory at which the container is killed; by default the same as memory'),
});

/** The same where limits are equal to what is reserved. */
export const guaranteed = z.strictObject({
  cpu: cpu.describe('CPU, request and limit: 500m, 2'),
  memory: size.describe('memory, request and limit: 512Mi, 16Gi'),
});

/** An image, pinned. */
export const image = made(
  z.strictObject({
    repository: z.string().describe('host and path: ghcr.io/acme/rag-api'),
    tag: z.string({ error: tagMessage }).describe('a release: 1.8.2; latest is refused'),
    digest: z.string().optional().describe('sha256: and 64 hexadecimal digits'),
    architectures: z
      .array(z.enum(Architecture))
      .optional()
      .describe('architectures that it is built for; by default any node can run it'),
  }),
  ({ repository, ...version }) => Image.of(repository, version),
);

function tagMessage(issue: { input?: unknown }): string {
  return issue.input === undefined
    ? 'is missing; pin a release, such as 1.8.2'
    : `is ${shown(issue.input)}, but must be text; put it in quotes`;
}

const secretReference = z.strictObject(
  {
    secret: z.string().describe('name of the Secret'),
    key: z.string().describe('key in its data'),
  },
  {
    // Whatever stands here instead of a reference may be the secret itself: it is not repeated.
    error: (issue) =>
      issue.code === 'invalid_type' && issue.input !== undefined
        ? 'must be a reference to a Secret, { secret: name, key: name }; a value does not belong into this file'
        : undefined,
  },
);

/** A key of a Secret: a reference, never a value. */
export function secretKey(secrets: ISecretSource) {
  return made(secretReference, ({ secret, key }) => secrets.key(secret, key));
}

/** A key of a Secret that has a usual place. */
export function usualKey(secrets: ISecretSource, secret: string, key: string) {
  return made(secretKey(secrets).optional(), (chosen) => chosen ?? secrets.key(secret, key)).describe(
    `by default key ${key} of the Secret ${secret}`,
  );
}

/** `$` before another, where no bracket follows that would make a reference of them. */
const PLAIN_DOLLAR = /\$(?=\$)(?!\$*\()/g;

/** A text that may refer to other variables; `$$(NAME)` is the text `$(NAME)`, and any other `$` is itself. */
function completed(text: string): EnvValue {
  return EnvValue.template(text.replaceAll(PLAIN_DOLLAR, '$$$$'));
}

/** Variables of a container: texts that may refer to other variables, or keys of Secrets. */
export function variables(secrets: ISecretSource) {
  const value = z.union([z.string(), z.number(), z.boolean(), secretKey(secrets)], {
    error: 'must be a text, a number, true or false, or { secret: name, key: name }',
  });
  return z.record(
    judged(envNameProblem),
    made(value, (input) => (input instanceof SecretKey ? EnvValue.fromSecret(input) : completed(String(input)))),
  );
}

/** A program and its first arguments, of which the program has a name. */
export const command = z
  .array(z.string())
  .refine((words) => words[0] !== '', { message: 'is empty; name a program', path: [0] });

/** Labels or annotations. */
export const texts = z.record(z.string(), z.string());

/** Who pods are to a cloud: one of the clouds, in one way. */
export const identity = made(
  z
    .strictObject({
      awsRole: z.string().optional().describe('role of AWS by IRSA: arn:aws:iam::123456789012:role/rag-api'),
      awsPodIdentity: z.literal(true).optional().describe('a role of AWS by EKS Pod Identity, which EKS knows'),
      gcpServiceAccount: z.string().optional().describe('service account of Google Cloud, by its address'),
      azureClientId: z.string().optional().describe('client id of an identity of Azure'),
      tenantId: z.string().optional().describe('tenant of the identity of Azure; by default that of the cluster'),
    })
    .refine(
      ({ tenantId: _, ...kinds }) => Object.values(kinds).filter((kind) => kind !== undefined).length === 1,
      'needs exactly one of awsRole, awsPodIdentity, gcpServiceAccount and azureClientId',
    )
    .refine(({ azureClientId, tenantId }) => azureClientId !== undefined || tenantId === undefined, {
      message: 'belongs to azureClientId, which is not there; remove it',
      path: ['tenantId'],
    }),
  ({ awsRole, gcpServiceAccount, azureClientId, tenantId }) => {
    if (awsRole !== undefined) {
      return CloudIdentity.awsIrsa(awsRole);
    }
    if (gcpServiceAccount !== undefined) {
      return CloudIdentity.gke(gcpServiceAccount);
    }
    return azureClientId === undefined
      ? CloudIdentity.awsPodIdentity()
      : CloudIdentity.azure(azureClientId, { tenantId });
  },
);

/** Software in the cluster, known by where its pods run. */
export const clusterService = z.strictObject({
  namespace: z.string().describe('namespace in which its pods run'),
  podLabels: texts.optional().describe('labels of its pods; without them every pod of the namespace'),
});

/** A certificate that cert-manager issues, or a TLS Secret that exists. */
export const certificate = made(
  z
    .strictObject({
      issuer: z.string().optional().describe('name of the cert-manager issuer'),
      issuerKind: z.enum(['ClusterIssuer', 'Issuer']).optional().describe('by default ClusterIssuer'),
      http01: z.boolean().optional().describe('whether the issuer works by ACME HTTP-01'),
      secret: z.string().optional().describe('name of a TLS Secret that exists, instead of an issuer'),
    })
    .refine(({ issuer, secret }) => (issuer === undefined) !== (secret === undefined), {
      message: 'needs either issuer or secret, and not both',
    })
    .refine(({ secret, issuerKind, http01 }) => secret === undefined || (issuerKind ?? http01) === undefined, {
      message: 'has issuerKind or http01, which say something about an issuer, but no issuer; remove them',
    }),
  ({ issuer, issuerKind, http01, secret }) => {
    if (secret !== undefined) {
      return ServerCertificate.existing(secret);
    }
    const name = issuer as string;
    return ServerCertificate.issuedBy(
      issuerKind === 'Issuer'
        ? CertificateIssuer.namespaced(name, { http01 })
        : CertificateIssuer.cluster(name, { http01 }),
    );
  },
);
