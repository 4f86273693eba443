import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Services were DNS labels of RFC 1035, which begin with a letter, up to Kubernetes 1.33. */
const SERVICE_NAME = /^[a-z]/;

const DATA_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;

/** Kubernetes 1.28 docs, "Define Environment Variables for a Container"; newer releases accept more. */
const ENV_NAME = /^(?!\.$|\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*$/;

const LONGEST_LABEL = 63;
const LONGEST_SUBDOMAIN = 253;

/**
 * Longest names that the API server and the controllers behind it accept (Kubernetes docs, "Object Names and
 * IDs"; CronJob: "CronJob limitations", because the controller appends a time stamp to each Job's name;
 * StatefulSet: a pod carries its revision, `<name>-<hash of 10>`, as a label value; ScaledObject: KEDA
 * names the HPA `keda-hpa-<name>`). A workload's name is a label value and part of host names.
 */
const LONGEST = new Map([
  ['CronJob', 52],
  ['StatefulSet', 52],
  ['ScaledObject', 54],
  ['Deployment', LONGEST_LABEL],
  ['Job', LONGEST_LABEL],
  ['Service', LONGEST_LABEL],
  ['Namespace', LONGEST_LABEL],
]);

/** What is wrong with a name as a DNS label, or undefined when nothing is. */
export function dnsLabelProblem(name: string, longest: number = LONGEST_LABEL): string | undefined {
  if (name.length > longest) {
    return tooLong(name, longest);
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
export function dnsSubdomainProblem(name: string, longest: number = LONGEST_SUBDOMAIN): string | undefined {
  if (name.length > longest) {
    return tooLong(name, longest);
  }
  return name.split('.').every((label) => DNS_LABEL.test(label))
    ? undefined
    : `is "${name}", but must be DNS labels joined by dots: lower-case letters, digits and "-", beginning and ending with a letter or digit`;
}

/** What is wrong with the name of an object of a kind, or undefined when nothing is. */
export function objectNameProblem(name: string, kind: string): string | undefined {
  const problem = dnsSubdomainProblem(name, LONGEST.get(kind));
  if (problem === undefined && kind === 'Service' && !SERVICE_NAME.test(name)) {
    return `is "${name}", but the name of a Service begins with a letter`;
  }
  return problem;
}

/** Whether a ConfigMap or Secret can have a key; what begins with two dots is the kubelet's own. */
export function isDataKey(key: string): boolean {
  return DATA_KEY.test(key);
}

/** What is wrong with the name of an environment variable, or undefined when nothing is. */
export function envNameProblem(name: string): string | undefined {
  return ENV_NAME.test(name)
    ? undefined
    : `is "${name}", but the name of a variable consists of letters, digits, "-", "_" and ".", and does not begin with a digit`;
}

/** Refuses a name that no variable of a container can have. */
export function checkEnvName(scope: IConstruct, property: string, name: string): void {
  const problem = envNameProblem(name);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property });
  }
}

/** Refuses a name for a workload or a part of one: a DNS label that its kind accepts. */
export function checkObjectName(scope: IConstruct, name: string, kind: string): void {
  const problem = dnsLabelProblem(name, LONGEST.get(kind)) ?? objectNameProblem(name, kind);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property: 'name' });
  }
}

function tooLong(name: string, longest: number): string {
  return `is "${name}" (${name.length} characters), but at most ${longest} are allowed; shorten it`;
}
