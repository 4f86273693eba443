import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type {
  SecretStoreSpecProviderAwsService as AwsService,
  SecretStoreSpecProvider as Provider,
} from '../../imports/external-secrets.io';
import { Cluster } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
import type { CloudIdentity } from './cloud-identity';
import { accountOf, checkIdentity, type NewStoreProps } from './store-account';

/** A store of AWS, and who reads it. */
export interface AwsStoreProps extends NewStoreProps {
  /**
   * Region of the store: `eu-west-1`.
   * @default - the region of the cluster
   */
  readonly region?: string;

  /**
   * The identity that reads the store, by IAM roles for service accounts. EKS Pod Identity works only for the pods of
   * External Secrets themselves.
   * @default - that of the pods of External Secrets
   */
  readonly identity?: CloudIdentity;

  /**
   * Role that the identity takes on before it reads: `arn:aws:iam::123456789012:role/rag-secrets`. It keeps an
   * identity that several stores share to the entries of this one.
   * @default - none
   */
  readonly role?: string;
}

const REGION = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const ROLE = /^arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;

/** What a SecretStore says of a service of AWS. */
export function awsProvider(scope: Construct, service: AwsService, props: AwsStoreProps): Provider {
  const { identity, region, role } = props;
  return {
    aws: {
      service,
      region: region ?? regionOf(scope),
      role,
      ...(identity === undefined ? {} : { auth: { jwt: { serviceAccountRef: accountOf(props) } } }),
    },
  };
}

/** Refuses what AWS would. */
export function checkAws({ region, identity, role }: AwsStoreProps): void {
  if (region !== undefined && !REGION.test(region)) {
    throw new UsageError(`is "${region}", but must be a region such as eu-west-1`, { property: 'secrets.region' });
  }
  checkIdentity(identity, 'AWS');
  if (identity !== undefined && Object.keys(identity.serviceAccountAnnotations).length === 0) {
    throw new UsageError(
      'is one by EKS Pod Identity, which External Secrets can use for its own pods only; leave it out and associate ' +
        'the role with those, or use CloudIdentity.awsIrsa',
      { property: 'secrets.identity' },
    );
  }
  if (role !== undefined && !ROLE.test(role)) {
    throw new UsageError(`is "${role}", but must be a role such as arn:aws:iam::123456789012:role/rag-secrets`, {
      property: 'secrets.role',
    });
  }
}

function regionOf(scope: Construct): string {
  const { region } = Cluster.of(scope);
  if (region === undefined) {
    throw new UsageError('is missing, and the cluster does not say which it runs in; set it here, or in the cluster', {
      scope: Chart.of(scope),
      property: 'secrets.aws.region',
    });
  }
  return region;
}
