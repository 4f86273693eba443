import { type ChangeRule, COMPARE_NOTHING, type Step, stepsOf } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf, renderedPods } from '../rules/output';
import type { QdrantIdentity } from './qdrant-changes';

/** Volume of the nodes with the certificate. */
export const TLS_VOLUME = 'tls';

/**
 * Nodes restart one by one, and one that speaks TLS and one that does not cannot speak to each other; with two of three in
 * different states there is no quorum, and the rollout stops.
 *
 * Source: Qdrant 1.19, src/consensus.rs and src/main.rs: with cluster.p2p.enable_tls a node serves and calls by TLS alone.
 */
export function tlsStays(store: QdrantIdentity): ChangeRule {
  return {
    name: 'nodes of Qdrant speak TLS to each other, or none does',
    check: (before, after) =>
      stepsOfCluster(store, before, after).flatMap(({ from, to }) => {
        const [was, is] = [certificateOf(from), certificateOf(to)];
        return (was === undefined) === (is === undefined)
          ? []
          : [
              `${nameOf(to)}: would ${is === undefined ? 'stop speaking TLS' : 'begin to speak TLS'}, but nodes restart one by ` +
                'one, and those with TLS and those without cannot speak to each other, so the rollout would stop halfway; ' +
                `keep tls as it was, or accept an outage until all nodes are back: ${COMPARE_NOTHING}, and delete all pods ` +
                'of the StatefulSet together as soon as the first one restarts',
            ];
      }),
    warn: (before, after) =>
      stepsOfCluster(store, before, after).flatMap(({ from, to }) => {
        const [was, is] = [certificateOf(from), certificateOf(to)];
        return was === undefined || is === undefined || was === is
          ? []
          : [
              `${nameOf(to)}: takes the certificate from Secret ${is} instead of ${was}, and nodes restart one by one; when ` +
                'the authority in ca.crt of the two is not the same, those with the one refuse those with the other, and all ' +
                'pods of the StatefulSet have to be deleted together after the sync',
            ];
      }),
  };
}

/** The nodes in both renders, where there are several. */
function stepsOfCluster(
  { namespace, name }: QdrantIdentity,
  before: readonly ManifestObject[],
  after: readonly ManifestObject[],
): Step[] {
  return stepsOf('apps', 'StatefulSet', before, after).filter(
    ({ from, to }) =>
      to.metadata.name === name &&
      (to.metadata.namespace ?? '') === namespace &&
      [from, to].every(({ spec }) => spec?.replicas > 1),
  );
}

/** Secret with the certificate of the nodes; undefined when they speak no TLS. */
function certificateOf(nodes: ManifestObject): string | undefined {
  const volumes: Json[] = renderedPods(nodes).flatMap(({ spec }) => spec.volumes ?? []);
  return volumes.find(({ name }) => name === TLS_VOLUME)?.secret?.secretName;
}
