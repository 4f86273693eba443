import type { k8s } from 'cdk8s-plus-28';

/** A Secret that a pod reads, and which of its keys. */
export interface SecretRead {
  /** Name of the Secret. */
  readonly secret: string;

  /**
   * Key in its data.
   * @default - all of them
   */
  readonly key?: string;
}

/** What the containers and volumes of a pod read from Secrets. */
export function secretsReadBy(spec: k8s.PodSpec): SecretRead[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return [...containers.flatMap(secretsOfContainer), ...(spec.volumes ?? []).flatMap(secretsOfVolume)];
}

function secretsOfContainer({ env = [], envFrom = [] }: k8s.Container): SecretRead[] {
  return [
    ...env.flatMap(({ valueFrom }) => read(valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.key)),
    ...envFrom.flatMap(({ secretRef }) => read(secretRef?.name)),
  ];
}

function secretsOfVolume({ secret, projected }: k8s.Volume): SecretRead[] {
  return [
    ...files(secret?.secretName, secret?.items),
    ...(projected?.sources ?? []).flatMap((source) => files(source.secret?.name, source.secret?.items)),
  ];
}

function files(secret: string | undefined, items: k8s.KeyToPath[] | undefined): SecretRead[] {
  return items === undefined ? read(secret) : items.flatMap(({ key }) => read(secret, key));
}

function read(secret: string | undefined, key?: string): SecretRead[] {
  return secret === undefined ? [] : [{ secret, key }];
}
