import { awsHost, isAwsHost } from '../network/aws-host';
import { Endpoint } from '../network/endpoint';
import type { Port } from '../network/port';
import { checkCidrs } from '../rules/address-range';
import { namespaceOfService } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import { CloudIdentity, type IIdentified } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { Offer } from '../workload/provider';
import { regionVariables } from './aws-region';
import { type BarmanDestination, checkPrefix, checkStoreName, type IBucket, pathOf } from './bucket';

/** A bucket of S3 or of a store that speaks its protocol. */
export interface S3Props {
  /** Name of the bucket; it must exist. */
  readonly bucket: string;

  /** Region of the bucket: `eu-west-1`. Stores that know no regions take any, such as `us-east-1`. */
  readonly region: string;

  /**
   * URL of an S3-compatible store, without a path: `https://s3.acme.example`. Inside the cluster it may be plain
   * HTTP and is named with its namespace: `http://minio.storage.svc:9000`; the Service's port must be that of the
   * pods, because policies act behind it.
   * @default - Amazon S3 in the region
   */
  readonly endpoint?: string;

  /**
   * Path in the bucket below which everything is kept, without "/" at its ends: `rag/production`.
   * @default - the whole bucket
   */
  readonly prefix?: string;

  /**
   * Id of the access key. Given together with `secretKey`.
   * @default - the pod's own identity on AWS, `identity` of the client
   */
  readonly accessKey?: SecretKey;

  /**
   * Secret of the access key.
   * @default - as for `accessKey`
   */
  readonly secretKey?: SecretKey;

  /**
   * Addresses of the store, where they are known and stable, such as those of a private endpoint.
   * @default - unknown; a policy names the hosts on Cilium, and elsewhere every public address
   */
  readonly cidrs?: string[];
}

/** Names of buckets (Amazon S3 docs, "Bucket naming rules"). */
const BUCKET = /^(?=.{3,63}$)[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*(?<!-)$/;
const REGION = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/**
 * The one region in which SDKs may ask a host without a region: boto3 does unless it is told otherwise (botocore,
 * `us_east_1_regional_endpoint`).
 */
const GLOBAL_REGION = 'us-east-1';
const GLOBAL_HOST = 's3.amazonaws.com';

/** Stores other than Amazon's refuse the checksums that boto3 sends since 1.36. */
const NO_CHECKSUMS = {
  AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
  AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required',
};

/** A bucket of Amazon S3 or of a store that speaks its protocol. */
export class S3Bucket implements IBucket {
  public readonly kind = 'S3';
  public readonly name: string;
  public readonly prefix?: string;
  /** Region of the bucket. */
  public readonly region: string;
  /** URL of the store; undefined for Amazon S3 in the region. */
  public readonly endpoint?: string;
  /** Id of the access key; without keys the pod's own identity is used. */
  public readonly accessKey?: SecretKey;
  /** Secret of the access key. */
  public readonly secretKey?: SecretKey;

  private readonly url: URL | undefined;

  public constructor(private readonly props: S3Props) {
    checkNames(props);
    checkKeys(props);
    checkCidrs(props.cidrs ?? [], 'objectStore.cidrs');
    this.url = props.endpoint === undefined ? undefined : checkedEndpoint(props.endpoint, props);
    this.name = props.bucket;
    this.region = props.region;
    this.endpoint = props.endpoint;
    this.prefix = props.prefix;
    this.accessKey = props.accessKey;
    this.secretKey = props.secretKey;
  }

  public offerTo(client?: IIdentified): Offer {
    const { accessKey, secretKey, endpoint, prefix } = this;
    return {
      endpoints: [
        ...this.endpoints,
        ...(accessKey === undefined ? CloudIdentity._onAws(client, this.region, `bucket ${this.name}`) : []),
      ],
      env: {
        S3_BUCKET: EnvValue.of(this.name),
        ...(prefix === undefined ? {} : { S3_PREFIX: EnvValue.of(prefix) }),
        ...regionVariables(this.region),
        ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL_S3: EnvValue.of(endpoint) }),
        ...(accessKey === undefined ? {} : { AWS_ACCESS_KEY_ID: EnvValue.fromSecret(accessKey) }),
        ...(secretKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: EnvValue.fromSecret(secretKey) }),
      },
      withoutEnv: accessKey === undefined ? ['AWS_ACCESS_KEY_ID'] : [],
    };
  }

  /** @internal */
  public _barmanDestination(): BarmanDestination {
    const { accessKey, secretKey, endpoint } = this;
    return {
      path: `s3://${pathOf(this.name, this.prefix)}`,
      endpoint,
      credentials: {
        s3Credentials:
          accessKey === undefined || secretKey === undefined
            ? { inheritFromIAMRole: true }
            : { accessKeyId: accessKey, secretAccessKey: secretKey },
      },
      env: { AWS_DEFAULT_REGION: this.region, ...(endpoint === undefined ? {} : NO_CHECKSUMS) },
    };
  }

  /** Addresses of the store. */
  private get endpoints(): Endpoint[] {
    if (this.url === undefined) {
      const hosts = [awsHost('s3', this.region), ...(this.region === GLOBAL_REGION ? [GLOBAL_HOST] : [])];
      return hosts.flatMap((host) => [this.outside(host), this.outside(`${this.name}.${host}`)]);
    }
    const { hostname } = this.url;
    const namespace = namespaceOfService(hostname);
    return namespace === undefined
      ? [this.outside(hostname)]
      : [Endpoint.foreignService({ namespace }, hostname, this.port)];
  }

  private outside(host: string): Endpoint {
    return Endpoint.web(host, this.port, this.props.cidrs);
  }

  private get port(): Port {
    const fallback = this.url?.protocol === 'http:' ? 80 : 443;
    return { name: 's3', number: Number(this.url?.port || fallback) };
  }
}

function checkNames({ bucket, region, prefix }: S3Props): void {
  checkStoreName(
    'bucket',
    bucket,
    BUCKET,
    '3 to 63 lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
  );
  checkStoreName('region', region, REGION, 'a region such as eu-west-1');
  checkPrefix(prefix);
}

function checkKeys({ accessKey, secretKey }: S3Props): void {
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    const [missing, given] = accessKey === undefined ? ['accessKey', 'secretKey'] : ['secretKey', 'accessKey'];
    throw new UsageError(`is missing, but ${given} is given; set both, or none for the pod's own identity`, {
      property: `objectStore.${missing}`,
    });
  }
}

function checkedEndpoint(endpoint: string, { accessKey, cidrs = [] }: S3Props): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const refuse = (problem: string): never => {
    throw new UsageError(`is "${endpoint}", but ${problem}`, { property: 'objectStore.endpoint' });
  };
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== endpoint.replace(/\/$/, '')) {
    return refuse('must be a URL of scheme, host and port alone, such as https://s3.acme.example');
  }
  const inside = namespaceOfService(url.hostname) !== undefined;
  if (url.protocol === 'http:' && !inside) {
    return refuse('must be https: only inside the cluster, as in http://minio.storage.svc:9000, may it be plain HTTP');
  }
  if (inside && cidrs.length > 0) {
    return refuse('is inside the cluster, where cidrs mean nothing; drop them');
  }
  if (accessKey === undefined && !isAwsHost(url.hostname)) {
    return refuse('takes no identity of a pod, as AWS does; set accessKey and secretKey');
  }
  return url;
}
