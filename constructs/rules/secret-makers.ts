import { groupOf, type Json, type ManifestObject, nameOf } from './output';
import type { Rule } from './rule';

/**
 * Which Secrets the controller of an object makes, by group and kind.
 *
 * Sources: CloudNativePG docs, "Applications" and "Certificates"; RabbitMQ Cluster Operator docs, "Using RabbitMQ
 * Cluster Kubernetes Operator"; Strimzi docs, "Security", on certificate authorities and on users; cert-manager docs,
 * "Certificate resource"; External Secrets docs, "ExternalSecret"; Secrets Store CSI driver docs, "Sync as Kubernetes
 * Secret".
 */
const MADE_BY: { readonly [groupAndKind: string]: (object: ManifestObject) => string[] } = {
  'postgresql.cnpg.io/Cluster': ({ metadata: { name }, spec }) => [
    ...(spec?.bootstrap?.initdb?.secret === undefined ? [`${name}-app`] : []),
    ...['ca', 'server', 'replication'].map((suffix) => `${name}-${suffix}`),
  ],
  'rabbitmq.com/RabbitmqCluster': ({ metadata: { name } }) => [`${name}-default-user`, `${name}-erlang-cookie`],
  'kafka.strimzi.io/Kafka': ({ metadata: { name } }) =>
    ['cluster-ca', 'cluster-ca-cert', 'clients-ca', 'clients-ca-cert'].map((suffix) => `${name}-${suffix}`),
  'kafka.strimzi.io/KafkaUser': ({ metadata: { name } }) => [name],
  'cert-manager.io/Certificate': ({ spec }) => (typeof spec?.secretName === 'string' ? [spec.secretName] : []),
  'external-secrets.io/ExternalSecret': ({ metadata, spec }) =>
    ['Merge', 'None'].includes(spec?.target?.creationPolicy) ? [] : [spec?.target?.name ?? metadata.name],
  'secrets-store.csi.x-k8s.io/SecretProviderClass': ({ spec }) =>
    [spec?.secretObjects ?? []].flat().map(({ secretName }: Json) => secretName),
};

/** The Secrets, `namespace/name`, that controllers make of an object. */
export function secretsMadeBy(object: ManifestObject): string[] {
  const names = MADE_BY[`${groupOf(object)}/${object.kind}`]?.(object) ?? [];
  return names.map((name) => `${object.metadata.namespace ?? ''}/${name}`);
}

/** Two makers of a Secret overwrite one another for ever. */
export const secretMakers: Rule = {
  name: 'every Secret has one maker',
  check: (output) => {
    const makers = new Map<string, ManifestObject[]>();
    for (const object of output.all) {
      for (const secret of secretsMadeBy(object)) {
        makers.set(secret, [...(makers.get(secret) ?? []), object]);
      }
    }
    const own = new Set(output.own);
    return output.own.flatMap((object) =>
      secretsMadeBy(object).flatMap((secret) => {
        const others = makers.get(secret)?.filter((maker) => nameOf(maker) !== nameOf(object));
        // Of two that are judged the second one says so.
        const other = others?.find((maker) => !own.has(maker) || nameOf(maker) < nameOf(object));
        return other === undefined
          ? []
          : [
              `${nameOf(object)}: makes the Secret ${secret}, and so does ${nameOf(other)}; each would overwrite the ` +
                'other, so give one of them another name',
            ];
      }),
    );
  },
};
