import { labelsText } from './external-references';
import { type Json, type ManifestObject, nameOf, type Output, type RenderedPods } from './output';
import type { Rule } from './rule';

/** Every pod is closed in both directions but for named peers and ports, and every name means something. */
export const networkIsolation: Rule = {
  name: 'every pod is isolated in both directions, and every policy rule names its peers and ports',
  check: (output) => [
    ...output.ownPods.flatMap((pods) => checkIsolated(output, pods)),
    ...output.own.filter((object) => object.kind === 'NetworkPolicy').flatMap((policy) => checkRules(output, policy)),
    ...output.own.filter((object) => object.kind === 'Service').flatMap((service) => checkService(output, service)),
  ],
};

function checkIsolated(output: Output, pods: RenderedPods): string[] {
  const policies = output.all.filter(
    (object) =>
      object.kind === 'NetworkPolicy' &&
      object.metadata.namespace === pods.owner.metadata.namespace &&
      // Expressions are not worked out; a policy that uses them does not count.
      object.spec?.podSelector?.matchExpressions === undefined &&
      output.select(object.metadata.namespace, object.spec?.podSelector?.matchLabels ?? {}).includes(pods),
  );
  const types = policies.flatMap((policy) => policy.spec.policyTypes ?? []);
  return ['Ingress', 'Egress']
    .filter((type) => !types.includes(type))
    .map((type) => `${nameOf(pods.owner)}: no NetworkPolicy isolates its pods for ${type.toLowerCase()}`);
}

function checkRules(output: Output, policy: ManifestObject): string[] {
  const { namespace } = policy.metadata;
  const rules: [string, Json][] = [
    ...(policy.spec.ingress ?? []).map((rule: Json) => ['from', rule]),
    ...(policy.spec.egress ?? []).map((rule: Json) => ['to', rule]),
  ];
  return rules.flatMap(([side, rule]) => {
    const peers: Json[] = rule[side] ?? [];
    return [
      ...(peers.length > 0 ? [] : [`${nameOf(policy)}: a rule without peers allows every peer`]),
      ...((rule.ports ?? []).length > 0 ? [] : [`${nameOf(policy)}: a rule without ports allows every port`]),
      ...peers.flatMap((peer) => checkPeer(output, policy, namespace, peer)),
    ];
  });
}

/**
 * A peer in our own namespace must be one of our pods, or of those that an operator is declared to create; what runs
 * in other namespaces is not ours to know.
 */
function checkPeer(output: Output, policy: ManifestObject, namespace: string | undefined, peer: Json): string[] {
  if (namesEverybody(peer)) {
    return [`${nameOf(policy)}: a rule with an empty selector allows every pod; name the pods`];
  }
  const labels = peer.podSelector?.matchLabels;
  if (peer.ipBlock !== undefined || peer.namespaceSelector !== undefined || labels === undefined) {
    return [];
  }
  const declared = output.external.includes({ kind: 'Pod', namespace, name: labelsText(labels) });
  return declared || output.select(namespace, labels).length > 0
    ? []
    : [`${nameOf(policy)}: names the pods ${JSON.stringify(labels)}, but there are none in the output`];
}

/** An empty selector selects all there is. */
function namesEverybody({ ipBlock, namespaceSelector, podSelector }: Json): boolean {
  const empty = (selector: Json) => selector !== undefined && Object.keys(selector).length === 0;
  return ipBlock === undefined && (empty(namespaceSelector) || (namespaceSelector === undefined && empty(podSelector)));
}

/** Policies see the container's port, some network plugins the Service's; with one number both are right. */
function checkService(output: Output, service: ManifestObject): string[] {
  if (service.spec.selector === undefined) {
    return [];
  }
  const pods = output.select(service.metadata.namespace, service.spec.selector);
  if (pods.length === 0) {
    return [`${nameOf(service)}: selects no pods of the output`];
  }
  const ports: Json[] = service.spec.ports ?? [];
  const open = pods.flatMap(({ containers }) => containers.flatMap((container) => container.ports ?? []));
  return ports.flatMap((port) => [
    ...(port.targetPort === port.port
      ? []
      : [`${nameOf(service)}: port ${port.port} leads to ${port.targetPort}; use one number for both`]),
    ...(open.some(({ containerPort }: Json) => containerPort === port.targetPort)
      ? []
      : [`${nameOf(service)}: port ${port.targetPort} is no container port of the pods`]),
  ]);
}
