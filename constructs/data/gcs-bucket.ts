import { Endpoint } from '../network/endpoint';
import { checkCidrs } from '../rules/address-range';
import { CloudIdentity, type IIdentified } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { Offer, SecretFile } from '../workload/provider';
import { type BarmanDestination, checkPrefix, checkStoreName, type IBucket, pathOf } from './bucket';

/** A bucket of Google Cloud Storage. */
export interface GcsProps {
  /** Name of the bucket; it must exist. */
  readonly bucket: string;

  /**
   * Path in the bucket below which everything is kept, without "/" at its ends: `rag/production`.
   * @default - the whole bucket
   */
  readonly prefix?: string;

  /**
   * Key of a service account, as the JSON file that Google hands out. Clients find it as a file, which they read when
   * they start.
   * @default - the pod's own identity on Google Cloud, `identity` of the client
   */
  readonly credentials?: SecretKey;

  /**
   * Id of the project that clients work in.
   * @default - the one of the key, or of the cluster
   */
  readonly project?: string;

  /**
   * Addresses of Google's APIs, where they are known and stable, such as those of a private endpoint.
   * @default - unknown; a policy names the hosts on Cilium, and elsewhere every public address
   */
  readonly cidrs?: string[];
}

/** Names of buckets (Google Cloud docs, "Bucket naming guidelines"). */
const BUCKET =
  /^(?=.{3,222}$)(?!goog)(?!.*google)(?!(\d+\.){3}\d+$)[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63})*(?<![_-])$/;
/** Ids of projects (Resource Manager API, "Project"), and the old ones within a domain. */
const PROJECT = /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;

/** The project, as Google's libraries read it. */
const PROJECT_VARIABLE = 'GOOGLE_CLOUD_PROJECT';

/**
 * A bucket of Google Cloud Storage. The client libraries read where the key is and which project it is; the bucket is
 * the program's business.
 *
 * Sources: google-auth docs, "google.auth.environment_vars"; Google Cloud docs, "How Application Default Credentials
 * works". A key is exchanged for a token at its `token_uri`, oauth2.googleapis.com.
 */
export class GcsBucket implements IBucket {
  public readonly kind = 'Google Cloud Storage';
  public readonly name: string;
  public readonly prefix?: string;

  public constructor(private readonly props: GcsProps) {
    const { bucket, prefix, project, cidrs = [] } = props;
    checkStoreName(
      'bucket',
      bucket,
      BUCKET,
      '3 to 63 lower-case letters, digits, "-" and "_", or several of these with "." between them, beginning and ' +
        'ending with a letter or digit; it is no address, does not begin with "goog" and has no "google" in it',
    );
    if (project !== undefined) {
      checkStoreName(
        'project',
        project,
        PROJECT,
        'the id of a project: 6 to 30 lower-case letters, digits and "-", beginning with a letter',
      );
    }
    checkPrefix(prefix);
    checkCidrs(cidrs, 'objectStore.cidrs');
    this.name = bucket;
    this.prefix = prefix;
  }

  public offerTo(client?: IIdentified): Offer {
    const { credentials, project } = this.props;
    const file = credentials === undefined ? undefined : fileOf(credentials);
    return {
      endpoints: [
        this.api('storage.googleapis.com', 'gcs'),
        ...(file === undefined
          ? CloudIdentity._onGoogle(client, `bucket ${this.name}`)
          : [this.api('oauth2.googleapis.com', 'oauth2')]),
      ],
      env: {
        GCS_BUCKET: EnvValue.of(this.name),
        ...(this.prefix === undefined ? {} : { GCS_PREFIX: EnvValue.of(this.prefix) }),
        ...(project === undefined ? {} : { [PROJECT_VARIABLE]: EnvValue.of(project) }),
        ...(file === undefined
          ? {}
          : { GOOGLE_APPLICATION_CREDENTIALS: EnvValue.of(`${file.directory}/${file.source.key}`) }),
      },
      withoutEnv: file === undefined ? ['GOOGLE_APPLICATION_CREDENTIALS'] : [],
      files: file === undefined ? undefined : [file],
    };
  }

  /** @internal */
  public _barmanDestination(): BarmanDestination {
    const { credentials, project } = this.props;
    return {
      path: `gs://${pathOf(this.name, this.prefix)}`,
      credentials: {
        googleCredentials:
          credentials === undefined ? { gkeEnvironment: true } : { applicationCredentials: credentials },
      },
      env: project === undefined ? {} : { [PROJECT_VARIABLE]: project },
    };
  }

  private api(host: string, name: string): Endpoint {
    return Endpoint.web(host, { name, number: 443 }, this.props.cidrs);
  }
}

/** A client of two Secrets has two directories. */
function fileOf(source: SecretKey): SecretFile {
  return { source, directory: `/etc/google-credentials/${source.secret}` };
}
