import type { Json, ManifestObject } from '../../constructs/rules/output';
import { operatedPods } from './operated-pods';
import { matches, type Pods, podsOf } from './pods';

type Direction = 'ingress' | 'egress';

/**
 * What the NetworkPolicies among some objects allow, by the semantics of the Kubernetes documentation: a pod
 * that any policy selects for a direction is closed in it but for the union of the rules.
 */
export class Connectivity {
  private readonly policies: ManifestObject[];

  public constructor(objects: ManifestObject[]) {
    this.policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  }

  /** Whether pods of this output may connect to other pods of it on a port. */
  public allowed(from: Pods, to: Pods, port: number): boolean {
    return (
      this.opens(from, 'egress', port, (peer) => selectsPods(peer, from, to)) &&
      this.opens(to, 'ingress', port, (peer) => selectsPods(peer, to, from))
    );
  }

  /** Whether pods may connect to a peer outside the output, exactly as it is written. */
  public allowsOut(from: Pods, peer: Json, port: number, protocol = 'TCP'): boolean {
    return this.opens(from, 'egress', port, (candidate) => same(candidate, peer), protocol);
  }

  /** Whether a peer outside the output may connect to pods. */
  public allowsIn(to: Pods, peer: Json, port: number): boolean {
    return this.opens(to, 'ingress', port, (candidate) => same(candidate, peer));
  }

  /** Every peer and port that the policies of pods name, one by one. */
  public rulesOf(
    pods: Pods,
    direction: Direction,
  ): { readonly peer: Json; readonly port: number; readonly protocol: string }[] {
    return this.selecting(pods, direction).flatMap((policy) =>
      (policy.spec[direction] ?? []).flatMap((rule: Json) =>
        (rule[direction === 'ingress' ? 'from' : 'to'] ?? []).flatMap((peer: Json) =>
          (rule.ports ?? []).map(({ port, protocol }: Json) => ({ peer, port, protocol })),
        ),
      ),
    );
  }

  private opens(
    pods: Pods,
    direction: Direction,
    port: number,
    isPeer: (peer: Json) => boolean,
    protocol = 'TCP',
  ): boolean {
    const selecting = this.selecting(pods, direction);
    const rules = this.rulesOf(pods, direction);
    return (
      selecting.length === 0 ||
      rules.some((rule) => rule.port === port && rule.protocol === protocol && isPeer(rule.peer))
    );
  }

  private selecting(pods: Pods, direction: Direction): ManifestObject[] {
    const type = direction === 'ingress' ? 'Ingress' : 'Egress';
    return this.policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pods.owner.metadata.namespace &&
        spec.policyTypes.includes(type) &&
        matches(pods.labels, spec.podSelector),
    );
  }
}

function selectsPods(peer: Json, subject: Pods, other: Pods): boolean {
  if (peer.ipBlock !== undefined) {
    return false;
  }
  const namespaces = peer.namespaceSelector?.matchLabels;
  const namespace =
    namespaces === undefined ? subject.owner.metadata.namespace : namespaces['kubernetes.io/metadata.name'];
  return namespace === other.owner.metadata.namespace && matches(other.labels, peer.podSelector);
}

function same(a: Json, b: Json): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, child]) => child !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, child]) => [key, sorted(child)]),
      )
    : value;
}

/** Pods of an output by the name of their workload, those that operators make among them; of several, the first. */
export function podsByName(objects: ManifestObject[]): Map<string, Pods> {
  const all = [...podsOf(objects), ...operatedPods(objects)];
  return new Map(all.reverse().map((pods) => [pods.name, pods]));
}
