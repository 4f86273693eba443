import { Chart, type Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { PodSet } from '../network/peer';
import { SyncWave } from '../network/sync-wave';
import { Cluster } from '../placement/cluster';
import { Registry } from '../placement/registry';
import { blockStorageProblem } from '../placement/storage-class';
import { chartNamespace } from '../rules/chart-namespace';
import { ExternalReferences, labelsText } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { refuse, UsageError } from '../rules/usage-error';
import type { Image } from '../workload/image';
import { checkResources, type Resources, renderResources } from '../workload/resources';

type Labels = { readonly [label: string]: string };

/** Amounts by the name of the resource. */
interface Amounts<Amount> {
  readonly [resource: string]: Amount;
}

/** A type of amounts, of which each kind has its own. */
interface AmountType<Amount> {
  fromString(amount: string): Amount;
}

/** Pods that an operator creates, by the labels that the operator itself selects them by. */
export function declaredPods(scope: Construct, name: string, labels: Labels, without?: readonly string[]): PodSet {
  const pods = new PodSet(chartNamespace(scope), name, labels, without);
  ExternalReferences.of(scope).declare({ kind: 'Pod', namespace: pods.namespace, name: labelsText(labels) });
  return pods;
}

/** Metadata of an object that belongs to the pods and is applied with them. */
export function metadataOf(scope: Construct, pods: PodSet, component: string): k8s.ObjectMeta {
  const chart = Chart.of(scope);
  return {
    name: pods.name,
    labels: {
      ...chart.labels,
      'app.kubernetes.io/name': pods.name,
      'app.kubernetes.io/instance': chart.labels['app.kubernetes.io/instance'] ?? chart.node.id,
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/managed-by': 'cdk8s',
    },
    annotations: SyncWave.of(scope, pods).annotations,
  };
}

/**
 * What a container that an operator creates asks for, request and limit in one: so the pods are the last that a node in
 * need of memory ends (Kubernetes docs, "Pod Quality of Service Classes").
 */
export function guaranteedResources(scope: Construct, resources: Resources, scratch: Size[] = []): Amounts<string> {
  checkResources(scope, resources);
  for (const limit of ['cpuLimit', 'memoryLimit'] as const) {
    if (resources[limit] !== undefined) {
      throw new UsageError('is given, but limits of what is run here are equal to what it asks for; leave it out', {
        scope,
        property: `resources.${limit}`,
      });
    }
  }
  const { requests = {} } = renderResources({ ...resources, cpuLimit: resources.cpu }, scratch, undefined);
  return textsOf(requests);
}

/** Requests and limits of what an operator runs that keeps nothing: without a limit of the CPU unless one is said. */
export function statelessResources(
  scope: Construct,
  resources: Resources,
): { readonly requests: Amounts<string>; readonly limits: Amounts<string> } {
  checkResources(scope, resources);
  const { requests = {}, limits = {} } = renderResources(resources, [], undefined);
  return { requests: textsOf(requests), limits: textsOf(limits) };
}

function textsOf(amounts: { readonly [name: string]: { readonly value: unknown } }): Amounts<string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, { value }]) => [name, String(value)]));
}

/** Refuses memory with which what is run does not start. */
export function checkLeastMemory(scope: Construct, { memory }: Resources, least: Size, what: string): void {
  if (kibibytesOf(memory) < kibibytesOf(least)) {
    throw new UsageError(`is ${sizeText(memory)}, but ${what} needs at least ${sizeText(least)}`, {
      scope,
      property: 'resources.memory',
    });
  }
}

/** The same amounts as requests and as limits, in the types of a kind. */
export function requestsAndLimits<Request, Limit>(
  asked: Amounts<string>,
  request: AmountType<Request>,
  limit: AmountType<Limit>,
): { requests: Amounts<Request>; limits: Amounts<Limit> } {
  const amounts = Object.entries(asked);
  return {
    requests: Object.fromEntries(amounts.map(([name, amount]) => [name, request.fromString(amount)])),
    limits: Object.fromEntries(amounts.map(([name, amount]) => [name, limit.fromString(amount)])),
  };
}

/** Class of the volumes of a database or broker: the one that is given, or that of the cluster for block volumes. */
export function storageClassFor(scope: Construct, given: string | undefined): string | undefined {
  const { block, shared } = Cluster.of(scope).storage;
  const storageClass = given ?? block;
  if (storageClass !== undefined) {
    const problem = dnsSubdomainProblem(storageClass) ?? blockStorageProblem(storageClass, shared, block);
    refuse(problem, { scope, property: 'storageClass' });
    ExternalReferences.of(scope).declare({ kind: 'StorageClass', name: storageClass });
  }
  return storageClass;
}

/** PriorityClass of the pods, which exists. */
export function priorityClassFor(scope: Construct, given: string | undefined): string | undefined {
  if (given !== undefined) {
    refuse(dnsSubdomainProblem(given), { scope, property: 'priorityClassName' });
    ExternalReferences.of(scope).declare({ kind: 'PriorityClass', name: given });
  }
  return given;
}

/** Secrets with which the pods pull their images, which exist; undefined where the registry asks for none. */
export function pullSecretsFor(scope: Construct): { name: string }[] | undefined {
  const { pullSecrets } = Cluster.of(scope).registry;
  for (const name of pullSecrets) {
    ExternalReferences.of(scope).declare({ kind: 'Secret', namespace: chartNamespace(scope), name });
  }
  return pullSecrets.length === 0 ? undefined : pullSecrets.map((name) => ({ name }));
}

/** An image that an operator would choose by itself, which it must not where images are mirrored or need a digest. */
export function operatorsImage(scope: Construct, property: string, image: Image | undefined): string | undefined {
  const { registry } = Cluster.of(scope);
  if (image === undefined && registry !== Registry.PUBLIC) {
    throw new UsageError(
      'is missing, but what the operator chooses would come from where it likes; name it, so that it comes from the ' +
        "cluster's registry",
      { scope, property },
    );
  }
  return image?.in(registry, scope);
}
