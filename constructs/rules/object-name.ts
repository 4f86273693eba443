import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * Longest names the API server and the controllers behind it accept (Kubernetes docs, "Object Names and
 * IDs"; CronJob: "CronJob limitations", because the controller appends a time stamp to each Job's name;
 * StatefulSet: a pod carries its revision, `<name>-<hash of 10>`, as a label value; ScaledObject: KEDA
 * names the HPA `keda-hpa-<name>`).
 */
const LONGEST: { readonly [kind: string]: number } = {
  CronJob: 52,
  StatefulSet: 52,
  ScaledObject: 54,
};

const LONGEST_LABEL = 63;

/** What is wrong with a name as a DNS label, or undefined when nothing is. */
export function dnsLabelProblem(name: string, longest: number = LONGEST_LABEL): string | undefined {
  if (name.length > longest) {
    return `is "${name}" (${name.length} characters), but at most ${longest} are allowed; shorten it`;
  }
  if (!DNS_LABEL.test(name)) {
    return (
      `is "${name}", but must be a DNS label: lower-case letters, digits and "-", ` +
      'beginning and ending with a letter or digit'
    );
  }
  return undefined;
}

/** What is wrong with a name as a DNS subdomain, labels joined by dots, or undefined when nothing is. */
export function dnsSubdomainProblem(name: string, longest: number = LONGEST_LABEL): string | undefined {
  if (name.length > longest) {
    return dnsLabelProblem(name, longest);
  }
  return name
    .split('.')
    .map((label) => dnsLabelProblem(label))
    .find((problem) => problem !== undefined);
}

/** Longest name of an object of this kind, in characters. */
export function longestName(kind: string): number {
  return LONGEST[kind] ?? LONGEST_LABEL;
}

/** Refuses a name that the API server or a controller would refuse for this kind. */
export function checkObjectName(scope: IConstruct, name: string, kind: string): void {
  const problem = dnsLabelProblem(name, longestName(kind));
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property: 'name' });
  }
}
