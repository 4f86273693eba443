import type { SecretStoreSpecProvider as Provider } from '../../imports/external-secrets.io';
import { UsageError } from '../rules/usage-error';
import type { CloudIdentity } from './cloud-identity';
import { accountOf, checkIdentity, type NewStoreProps } from './store-account';

/** A GKE cluster as Google knows it. */
export interface GkeClusterProps {
  /** Name of the cluster. */
  readonly name: string;

  /** Its region, or its zone if it is zonal. */
  readonly location: string;

  /**
   * Its project.
   * @default - that of the store
   */
  readonly project?: string;
}

/** The Secret Manager of a project of Google Cloud, and who reads it. */
export interface GoogleStoreProps extends NewStoreProps {
  /** Id of the project, not its number. */
  readonly project: string;

  /**
   * The identity that reads the store, by Workload Identity Federation for GKE.
   * @default - that of the pods of External Secrets
   */
  readonly identity?: CloudIdentity;

  /**
   * The cluster, whose tokens the identity trusts.
   * @default - External Secrets asks the metadata server, which knows where it runs on GKE
   */
  readonly cluster?: GkeClusterProps;
}

/** Google Cloud docs, "Creating and managing projects"; the old ones of domains begin with the domain. */
const PROJECT = /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;

/** What a SecretStore says of Google Secret Manager. */
export function googleProvider(props: GoogleStoreProps): Provider {
  const { project, identity, cluster } = props;
  const place =
    cluster === undefined
      ? {}
      : {
          clusterLocation: cluster.location,
          clusterName: cluster.name,
          clusterProjectId: cluster.project ?? project,
        };
  return {
    gcpsm: {
      projectId: project,
      ...(identity === undefined
        ? {}
        : { auth: { workloadIdentity: { ...place, serviceAccountRef: accountOf(props) } } }),
    },
  };
}

/** Refuses what Google would. */
export function checkGoogle({ project, identity, cluster }: GoogleStoreProps): void {
  for (const [property, id] of Object.entries({ project, 'cluster.project': cluster?.project })) {
    if (id !== undefined && !PROJECT.test(id)) {
      throw new UsageError(`is "${id}", but must be the id of a project such as acme-production`, {
        property: `secrets.${property}`,
      });
    }
  }
  checkIdentity(identity, 'Google Cloud');
  if (cluster !== undefined && identity === undefined) {
    throw new UsageError('says whose tokens an identity trusts, but there is no identity; set one, or remove it', {
      property: 'secrets.cluster',
    });
  }
}
