import { ExternalService } from '../data/external-service';
import type { EmbeddingModel } from '../models/embedding-model';
import { checkCidrsOf } from '../rules/address-range';
import type { ChangeRule } from '../rules/change-rule';
import { ChangeRules } from '../rules/change-rules';
import { checkHost } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, IProvider, Offer } from '../workload/provider';
import { externalCollectionChanges } from './external-vector-store-changes';

/** A collection, index or class of a store outside the cluster; it must exist. */
export interface ExternalCollection {
  /** Name in the store. */
  readonly name: string;

  /** Model whose vectors it holds. */
  readonly model: EmbeddingModel;
}

/** A vector store that somebody else runs. */
export interface ExternalVectorStoreProps {
  /** Base URL, with `https://` and without a slash at the end: `https://acme.search.windows.net`. */
  readonly url: string;

  /**
   * Key of the store.
   * @default - none
   */
  readonly apiKey?: SecretKey;

  /**
   * What clients read and write. They are told its name and the facts of its model, as by a {@link QdrantCollection}.
   * @default - clients know it themselves
   */
  readonly collection?: ExternalCollection;

  /**
   * Addresses behind its name, where they are known and stable, such as those of a private endpoint.
   * @default - unknown
   */
  readonly cidrs?: string[];

  /**
   * Beginning of the names of the variables that clients get.
   * @default - VECTOR_STORE, and QDRANT for Qdrant
   */
  readonly envPrefix?: string;
}

/** A Qdrant that somebody else runs. */
export interface ExternalQdrantProps extends ExternalVectorStoreProps {
  /**
   * Port of gRPC on the same host.
   * @default 6334
   */
  readonly grpcPort?: number;
}

const QDRANT_GRPC = 6334;

/**
 * A vector store that somebody else runs. Clients get `VECTOR_STORE_URL` and `VECTOR_STORE_API_KEY`, and of Qdrant
 * the same variables as from one in the cluster, so that one stands in for the other.
 */
export class ExternalVectorStore implements IProvider {
  /**
   * Qdrant Cloud, or any other Qdrant: `https://xyz.eu-central.aws.cloud.qdrant.io:6333`.
   * Source: Qdrant Cloud docs, "Cluster Access".
   */
  public static qdrant(props: ExternalQdrantProps): ExternalVectorStore {
    const { envPrefix = 'QDRANT', grpcPort = QDRANT_GRPC } = props;
    return new ExternalVectorStore({ ...props, envPrefix }, grpcPort);
  }

  /** Chroma Cloud, or any other Chroma. */
  public static chroma(props: ExternalVectorStoreProps): ExternalVectorStore {
    return new ExternalVectorStore(props);
  }

  /** Elastic Cloud, or any other Elasticsearch or OpenSearch. */
  public static elasticsearch(props: ExternalVectorStoreProps): ExternalVectorStore {
    return new ExternalVectorStore(props);
  }

  /** Azure AI Search. */
  public static azureAiSearch(props: ExternalVectorStoreProps): ExternalVectorStore {
    return new ExternalVectorStore(props);
  }

  public readonly description: string;

  private readonly services: ExternalService[];
  private readonly changes?: ChangeRule;

  private constructor(
    private readonly props: ExternalVectorStoreProps,
    private readonly grpcPort?: number,
  ) {
    const { hostname: host, port } = checkedUrl(props.url);
    checkHost(host, 'externalVectorStore.url');
    checkCidrsOf([host], props.cidrs ?? [], 'externalVectorStore.cidrs');
    this.description = host;
    const ports = grpcPort === undefined || grpcPort === port ? [port] : [port, grpcPort];
    this.services = ports.map((number) => new ExternalService({ host, port: number, cidrs: props.cidrs, http: true }));
    if (props.collection?.name === '') {
      throw new UsageError('is empty; name the collection as the store does', { property: 'collection.name' });
    }
    if (props.collection !== undefined) {
      const { name, model } = props.collection;
      this.changes = externalCollectionChanges({ prefix: this.prefix, url: props.url, name, model });
    }
  }

  public offerTo(client: IClient): Offer {
    if (this.changes !== undefined) {
      ChangeRules.of(client).add(this.changes);
    }
    const { url, apiKey, collection } = this.props;
    const { grpcPort, prefix: envPrefix } = this;
    return {
      endpoints: this.services.flatMap((service) => service.offerTo().endpoints),
      env: {
        [`${envPrefix}_URL`]: EnvValue.of(url),
        ...(grpcPort === undefined ? {} : { [`${envPrefix}_GRPC_PORT`]: EnvValue.of(String(grpcPort)) }),
        ...(apiKey === undefined ? {} : { [`${envPrefix}_API_KEY`]: EnvValue.fromSecret(apiKey) }),
        ...(collection === undefined
          ? {}
          : { COLLECTION_NAME: EnvValue.of(collection.name), ...collection.model.env('EMBEDDING') }),
      },
    };
  }

  private get prefix(): string {
    return this.props.envPrefix ?? 'VECTOR_STORE';
  }
}

function checkedUrl(text: string): { readonly hostname: string; readonly port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A user in the URL would be a password in the output; it is not repeated here either.
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError('must be a URL with https, host and path alone: https://acme.search.windows.net', {
      property: 'externalVectorStore.url',
    });
  }
  if (text.endsWith('/')) {
    throw new UsageError(`is "${text}", but clients add their paths to it; leave out the slash at the end`, {
      property: 'externalVectorStore.url',
    });
  }
  return { hostname: url.hostname, port: url.port === '' ? 443 : Number(url.port) };
}
