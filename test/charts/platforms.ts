import { App, Size } from 'cdk8s';
import { RagPlatform, type RagPlatformProps } from '../../charts/rag-platform';
import { Cluster } from '../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { SecretKey } from '../../constructs/secrets/secret-key';
import type { IProvider } from '../../constructs/workload/provider';
import { find, mainContainer } from '../support/manifests';
import { IMAGE, RESOURCES } from '../support/values';

/** The least that a database is told. */
export const QDRANT: NonNullable<RagPlatformProps['qdrant']> = {
  resources: RESOURCES,
  storage: Size.gibibytes(10),
  apiKey: SecretKey.of('qdrant', 'api-key'),
};

/** A cluster with volumes that pods share. */
export const SHARING = new Cluster({ storage: { shared: 'files' } });

/** A queue that nobody has to connect to. */
export const QUEUE: IProvider = { offerTo: () => ({ endpoints: [], env: {} }) };

/** A platform "rag" in an app of its own. */
export function platform(props: Partial<RagPlatformProps> = {}): RagPlatform {
  const least = { namespace: 'test', qdrant: QDRANT, queue: QUEUE, api: { image: IMAGE } };
  return new RagPlatform(new App(), 'rag', { ...least, ...props });
}

/** What a platform renders. */
export function objectsOf(props: Partial<RagPlatformProps> = {}): ManifestObject[] {
  return platform(props).toJson();
}

/** The variables of a workload's main container: texts, or what they refer to. */
export function variables(objects: ManifestObject[], kind: string, name: string): { [name: string]: Json } {
  const list: Json[] = mainContainer(find(objects, kind, name)).env ?? [];
  return Object.fromEntries(list.map(({ name: key, value, valueFrom }) => [key, value ?? valueFrom]));
}

/** Names of the workloads that a workload may connect to; other addresses as they are. */
export function reachedBy(objects: ManifestObject[], name: string): Json[] {
  const rules: Json[] = find(objects, 'NetworkPolicy', name).spec.egress ?? [];
  const peers: Json[] = rules.filter(({ ports }) => ports[0].port !== 53).flatMap(({ to }) => to);
  return peers.map(({ podSelector, ipBlock }) => podSelector?.matchLabels['app.kubernetes.io/name'] ?? ipBlock.cidr);
}

/** The value of an argument: what stands after it. */
export function argument(objects: ManifestObject[], name: string, flag: string): string | undefined {
  const args: string[] = mainContainer(find(objects, 'Deployment', name)).args;
  return args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined;
}

/** The wave in which an object is applied. */
export function waveOf(objects: ManifestObject[], kind: string, name: string): number {
  return Number(find(objects, kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0);
}
