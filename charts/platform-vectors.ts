import type { Construct } from 'constructs';
import type { IPostgres } from '../constructs/data/postgres-access';
import type { EmbeddingModel } from '../constructs/models/embedding-model';
import { UsageError } from '../constructs/rules/usage-error';
import { Qdrant, type QdrantProps } from '../constructs/vector-store/qdrant';
import {
  type NextCollection,
  QdrantCollection,
  type QdrantCollectionProps,
} from '../constructs/vector-store/qdrant-collection';
import { QdrantRehearsal, type QdrantRehearsalProps } from '../constructs/vector-store/qdrant-rehearsal';
import { QdrantRestore, type QdrantRestoreProps } from '../constructs/vector-store/qdrant-restore';
import { QdrantSizing, type QdrantVectorsProps } from '../constructs/vector-store/qdrant-sizing';
import type { IProvider } from '../constructs/workload/provider';
import { describedBy } from './described-by';
import type { PlatformEmbedder } from './platform-embedder';

/** What the database of a platform holds; how large its vectors are, the embedding model says. */
export interface PlatformSizingProps extends Omit<QdrantVectorsProps, 'dimensions' | 'nodes' | 'replicationFactor'> {}

/** The vector database of a platform. */
export interface PlatformQdrantProps extends Omit<QdrantProps, 'sizing'> {
  /**
   * What the nodes hold: gives how many there are, their resources and their storage, where these do not say it.
   * @default - unknown; `resources` and `storage` are required
   */
  readonly sizing?: PlatformSizingProps;

  /**
   * When the snapshots are tried out.
   * @default - never
   */
  readonly rehearsal?: Omit<QdrantRehearsalProps, 'of' | 'name'>;

  /**
   * What is brought back from snapshots, before the API and the workers start. Remove it when it is back.
   * @default - nothing
   */
  readonly restore?: Omit<QdrantRestoreProps, 'store' | 'name'>;
}

/** The collection of a platform, for the vectors of its embedding model. */
export interface PlatformCollectionProps extends Omit<QdrantCollectionProps, 'store' | 'model' | 'next'> {
  /**
   * The collection that takes over, for another model.
   * @default - none
   */
  readonly next?: PlatformNextCollection;
}

/** The collection that takes over, for vectors of another model. */
export interface PlatformNextCollection extends NextCollection {
  /**
   * What makes vectors with the other model, for the backfill and, once it is switched, for the API and the workers.
   * @default - a server of the other model like `ingestionEmbedder` or else `embedder`, which must be servers of the
   * platform then; where there is neither, whoever needs vectors makes them
   */
  readonly embedder?: PlatformEmbedder;
}

/** What vectors outside of `qdrant` can be made of; what the platform does not have is refused where it is asked for. */
export class PlatformParts {
  /** @internal */
  public constructor(
    private readonly scope: Construct,
    private readonly parts: PlatformDatabase & { readonly model?: EmbeddingModel },
  ) {}

  /** The embedding model. */
  public get model(): EmbeddingModel {
    return this.needed(this.parts.model, 'embeddingModel');
  }

  /** The database. */
  public get database(): IPostgres {
    return this.needed(this.parts.database, 'database');
  }

  /** The way to the database that whoever has many connections takes: through its pooler, where it has one. */
  public get databaseAccess(): IProvider {
    return this.parts.databaseAccess ?? this.database;
  }

  private needed<Part>(part: Part | undefined, property: string): Part {
    if (part === undefined) {
      throw new UsageError('is missing, but vectors needs it; set it', { scope: this.scope, property });
    }
    return part;
  }
}

/** Where the vectors of a platform are. */
export interface PlatformVectorsProps {
  /**
   * The vector database. With a read-only token or key, the API gets that one and only the workers can write.
   * @default - `vectors` has the vectors
   */
  readonly qdrant?: PlatformQdrantProps;

  /**
   * What has the vectors instead of `qdrant`: a managed database, or one that somebody else runs. API and workers
   * use it. A function makes one in the platform, of what the platform has:
   * `(scope, { database, model, databaseAccess }) =>
   * new Pgvector(scope, 'vectors', { database, model }).through(databaseAccess)`.
   * @default - `qdrant` has them; exactly one of the two is needed
   */
  readonly vectors?: IProvider | ((scope: Construct, parts: PlatformParts) => IProvider);

  /**
   * The collection, which a Job creates before its clients start. Quantization, place of the vectors and shards are
   * those of the sizing unless they are said here.
   * @default - none; the API or the workers create what they need
   */
  readonly collection?: PlatformCollectionProps;
}

/** The embedding models of a platform. */
export interface PlatformEmbeddingModels {
  /** The model of the platform. */
  readonly present?: EmbeddingModel;
  /** The model that takes over from it. */
  readonly next?: EmbeddingModel;
  /** What makes vectors with the model that takes over, where that is said. */
  readonly nextEmbedder?: PlatformEmbedder;
  /** Whether it has taken over; the servers of the old one stay for clients that are still there. */
  readonly switched: boolean;
}

/** The database of a platform, and the way to it that whoever has many connections takes. */
export interface PlatformDatabase {
  /** The database. */
  readonly database?: IPostgres;
  /** The way through its pooler, where it has one. */
  readonly databaseAccess?: IProvider;
}

/** The vector database of a platform, and what belongs to it. */
export class PlatformVectors {
  /** The database; none when another provider has the vectors. */
  public readonly qdrant?: Qdrant;
  /** What has the vectors instead of the database. */
  public readonly elsewhere?: IProvider;
  /** The collection. */
  public readonly collection?: QdrantCollection;
  /** The trial of the snapshots. */
  public readonly rehearsal?: QdrantRehearsal;
  /** What brings collections back. */
  public readonly restore?: QdrantRestore;

  public constructor(
    private readonly scope: Construct,
    private readonly props: PlatformVectorsProps,
    private readonly model: EmbeddingModel | undefined,
    { database, databaseAccess }: PlatformDatabase,
  ) {
    checkStore(scope, props);
    const { vectors } = props;
    this.elsewhere =
      typeof vectors === 'function'
        ? vectors(scope, new PlatformParts(scope, { model, database, databaseAccess }))
        : vectors;
    if (props.qdrant !== undefined) {
      const store = new Qdrant(scope, 'qdrant', { ...props.qdrant, sizing: this.sizing(props.qdrant) });
      const { rehearsal, restore } = props.qdrant;
      this.qdrant = store;
      this.collection = this.createCollection(store);
      this.rehearsal = rehearsal && this.createRehearsal(store, rehearsal);
      this.restore = restore && this.createRestore(store, restore);
    }
  }

  /** The model whose vectors clients use, and the one that takes over while its collection is filled. */
  public get models(): PlatformEmbeddingModels {
    const next = this.props.collection?.next;
    if (next === undefined) {
      return { present: this.model, switched: false };
    }
    const { model, embedder, switched = false } = next;
    return { present: this.model, next: model, nextEmbedder: embedder, switched };
  }

  /** What the API uses. */
  public get forQuestions(): IProvider[] {
    const store = this.collection ?? this.qdrant;
    if (store === undefined) {
      return this.others;
    }
    const { readOnlyToken, readOnlyApiKey } = this.props.qdrant ?? {};
    return [(readOnlyToken ?? readOnlyApiKey) === undefined ? store : store.readOnly, ...this.others];
  }

  /** What the workers use. */
  public get forDocuments(): IProvider[] {
    return [this.collection ?? this.qdrant, ...this.others].filter((provider) => provider !== undefined);
  }

  private get others(): IProvider[] {
    return [this.elsewhere, this.restore].filter((provider) => provider !== undefined);
  }

  private sizing({ sizing }: PlatformQdrantProps): QdrantSizing | undefined {
    if (sizing === undefined) {
      return undefined;
    }
    const { dimensions } = this.modelFor('qdrant.sizing');
    // The database spreads it over the nodes and copies that it is told of, and checks these itself.
    return describedBy(this.scope, 'qdrant', () => QdrantSizing.forVectors({ ...sizing, dimensions }));
  }

  private createCollection(store: Qdrant): QdrantCollection | undefined {
    const { collection } = this.props;
    const { sizing } = store;
    if (collection === undefined) {
      return undefined;
    }
    return new QdrantCollection(this.scope, 'collection', {
      quantization: sizing?.quantization,
      onDisk: sizing?.onDisk,
      shards: sizing?.shards,
      name: 'documents',
      ...collection,
      store,
      model: this.modelFor('collection'),
    });
  }

  private createRehearsal(store: Qdrant, rehearsal: NonNullable<PlatformQdrantProps['rehearsal']>): QdrantRehearsal {
    const { scope } = this;
    return describedBy(
      scope,
      'qdrant.rehearsal',
      () => new QdrantRehearsal(scope, 'qdrant-rehearsal', { ...rehearsal, of: store }),
    );
  }

  private createRestore(store: Qdrant, restore: NonNullable<PlatformQdrantProps['restore']>): QdrantRestore {
    const { scope } = this;
    const created = describedBy(
      scope,
      'qdrant.restore',
      () => new QdrantRestore(scope, 'qdrant-restore', { ...restore, store }),
    );
    if (this.collection !== undefined) {
      created.job.uses(this.collection.administration);
    }
    return created;
  }

  private modelFor(what: string): EmbeddingModel {
    if (this.model === undefined) {
      throw new UsageError(`is missing, but ${what} needs to know how large its vectors are; name the model`, {
        scope: this.scope,
        property: 'embeddingModel',
      });
    }
    return this.model;
  }
}

function checkStore(scope: Construct, { qdrant, vectors, collection }: PlatformVectorsProps): void {
  if (qdrant === undefined && vectors === undefined) {
    throw new UsageError('is missing; describe the database, or give what has the vectors instead as vectors', {
      scope,
      property: 'qdrant',
    });
  }
  if (qdrant !== undefined && vectors !== undefined) {
    throw new UsageError('is set together with qdrant, but vectors are in one place; keep one of the two', {
      scope,
      property: 'vectors',
    });
  }
  if (qdrant === undefined && collection !== undefined) {
    throw new UsageError('is set, but only qdrant has collections of the platform; remove it, or set qdrant', {
      scope,
      property: 'collection',
    });
  }
}
