import type { Json, ManifestObject } from '../../constructs/rules/output';
import { find } from './manifests';

const isDns = ({ ports }: Json) => ports.some(({ port }: Json) => port === 53);

/** Ranges and ports that some pods may connect to besides DNS. */
export function rangesOf(objects: ManifestObject[], name: string): string[] {
  const { egress = [] } = find(objects, 'NetworkPolicy', name).spec;
  return egress
    .filter((rule: Json) => !isDns(rule))
    .flatMap(({ to, ports }: Json) =>
      to
        .filter(({ ipBlock }: Json) => ipBlock !== undefined)
        .flatMap(({ ipBlock }: Json) => ports.map(({ port }: Json) => `${ipBlock.cidr}:${port}`)),
    );
}

/** Hosts that some pods may connect to where policies can name them. */
export function hostsOf(objects: ManifestObject[], name: string): string[] {
  const { egress } = find(objects, 'CiliumNetworkPolicy', name).spec;
  return egress.flatMap(({ toFQDNs = [], toPorts }: Json) =>
    toFQDNs.map(({ matchName }: Json) => `${matchName}:${toPorts[0].ports[0].port}`),
  );
}
