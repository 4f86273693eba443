import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { EmbeddingModel } from '../models/embedding-model';
import { describeParts } from '../rules/described-parts';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import { Job, type JobOptions, type LibraryJobOptions } from '../workload/job';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { MODEL_KEY } from './collection-model';
import type { PayloadIndex } from './payload-index';
import type { Qdrant } from './qdrant';
import { QdrantProgram } from './qdrant-program';
import type { Quantization } from './quantization';
import { type StrictMode, strictModeConfig } from './strict-mode';

/**
 * What fills a new collection from an old one; it runs at every sync until the aliases are switched. What is written
 * to the old one meanwhile may be missed, so it runs once more, while nobody writes, before they are.
 */
export interface CollectionBackfill extends JobOptions {
  /**
   * What runs: a program that reads every point of `SOURCE_COLLECTION`, makes its vectors anew with the model
   * of `EMBEDDING_MODEL`, and writes it to `TARGET_COLLECTION`. It must be safe to run again, and may pass over points
   * that are the same in both; points that are in the new one only were deleted from the old one, and must go.
   */
  readonly image: Image;

  /**
   * Program and first arguments.
   * @default - the image's entrypoint
   */
  readonly command?: string[];

  /**
   * Arguments.
   * @default - the image's
   */
  readonly args?: string[];

  /**
   * Variables besides those of the database, the collections and the model.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };

  /** Time after which it is stopped and has failed. A sync is not over before it ends. */
  readonly deadline: Duration;

  /**
   * What it asks for.
   * @default - 1 CPU and 2 GiB
   */
  readonly resources?: Resources;
}

/** The collection that takes over, for vectors of another model. */
export interface NextCollection {
  /** Name of the new collection: 1 to 255 letters, digits, "-", "_" and ".". */
  readonly name: string;

  /** Model whose vectors it holds. */
  readonly model: EmbeddingModel;

  /**
   * What fills it.
   * @default - nothing: workers fill it by themselves
   */
  readonly backfill?: CollectionBackfill;

  /**
   * Whether clients use the new collection. A Job first checks that it has at least as many points as the old one; it does
   * not compare points. The Job moves the aliases, and then clients roll out with the new name and model. Pods that are
   * not replaced yet use the old collection. The backfill runs no more. Afterwards `name` and `model` can become the new
   * ones, and `next` can go; the old collection stays until you drop it.
   * @default false
   */
  readonly switched?: boolean;
}

/** A collection of a Qdrant database. */
export interface QdrantCollectionProps {
  /** The database. */
  readonly store: Qdrant;

  /**
   * Model whose vectors it holds: their size and distance, which can never be changed. Another model needs
   * another collection, see `next`.
   */
  readonly model: EmbeddingModel;

  /**
   * Name of the collection in the database: 1 to 255 letters, digits, "-", "_" and ".".
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * Parts that the points are spread over, from 1. It cannot be changed later, and nodes without a shard do
   * nothing for the collection: two for each node that there may ever be are a good start.
   * @default - one for each node, when it is created
   */
  readonly shards?: number;

  /**
   * Copies of each shard, from 1 to the number of nodes. A change holds for new shards; `repair` of the
   * database then makes or drops copies of the others.
   * @default - the database's own
   */
  readonly replicationFactor?: number;

  /**
   * Copies that must have a write before it counts, from 1 to the number of copies. With fewer of them alive,
   * writes fail.
   * @default 1
   */
  readonly writeConsistencyFactor?: number;

  /**
   * How small the vectors are that a search reads first.
   * @default - none, and what an existing collection has stays
   */
  readonly quantization?: Quantization;

  /**
   * Whether the vectors are read from disk instead of memory; slower; with quantization only slightly.
   * @default - they are in memory, and what an existing collection has stays
   */
  readonly onDisk?: boolean;

  /**
   * Fields of the payload that clients filter by, as paths: `{ 'metadata.language': PayloadIndex.KEYWORD }`.
   * @default - none
   */
  readonly payloadIndexes?: { readonly [field: string]: PayloadIndex };

  /**
   * What is refused so that no client can slow it down for the others.
   * @default - nothing, and what an existing collection has stays
   */
  readonly strictMode?: StrictMode;

  /**
   * Other names for the collection, for those who search it from elsewhere; clients of this library get the
   * collection's own. Which collection they point to says whether `next` has taken over. No collection may have such
   * a name.
   * @default - none
   */
  readonly aliases?: string[];

  /**
   * The collection that takes over, for another model.
   * @default - none
   */
  readonly next?: NextCollection;

  /**
   * How the Jobs are run that create it and switch its aliases.
   * @default - as any other pods
   */
  readonly jobs?: LibraryJobOptions;

  /**
   * Time that creating it may take. New payload indexes of a large collection take minutes.
   * @default Duration.minutes(30)
   */
  readonly deadline?: Duration;

  /**
   * Beginning of the name of the variable that tells clients the name: `COLLECTION_NAME`. A client of two
   * collections needs another for one of them.
   * @default "COLLECTION"
   */
  readonly envPrefix?: string;

  /**
   * Beginning of the names of the variables that tell clients of the model: `EMBEDDING_MODEL`.
   * @default "EMBEDDING"
   */
  readonly modelPrefix?: string;
}

const COLLECTION_FILE = '/etc/qdrant-collection/collection.json';

/** Qdrant's own rule is looser; these need no escaping in a URL. */
const NAME = /^(?!\.+$)[A-Za-z0-9_.-]{1,255}$/;

/**
 * A collection of a Qdrant database, with the vectors of one model. A Job creates it with what belongs to it at
 * every sync, before its clients start, and never drops anything. The Job fails when a collection of that name
 * has vectors of another size or distance.
 *
 * Source: Qdrant 1.19 docs, "Collections", "Collection aliases", "Indexing", "Distributed deployment".
 */
export class QdrantCollection extends Construct implements IProvider {
  /** Name of the collection in the database. */
  public readonly name: string;
  /** The Job that creates the collections, their payload indexes and the aliases. */
  public readonly bootstrap: Job;
  /** The Job that fills the next collection; it may need a model server: `backfill.uses(embedder)`. */
  public readonly backfill?: Job;
  /** The Job that switches the aliases. */
  public readonly aliasSwitch?: Job;

  private readonly props: QdrantCollectionProps;
  private readonly aliases: string[];
  private readOnlyView?: IProvider;
  private administrationView?: IProvider;

  public constructor(scope: Construct, id: string, props: QdrantCollectionProps) {
    super(scope, id);
    this.props = props;
    const jobs = (property: string) => (property === 'deadline' ? '' : 'jobs');
    describeParts(this, { Bootstrap: jobs, Switch: jobs, Backfill: 'next.backfill' });
    this.name = props.name ?? id;
    this.aliases = props.aliases ?? [];
    this.checkNames();
    this.checkNumbers();
    this.bootstrap = this.createBootstrap();
    this.backfill = this.createBackfill();
    this.aliasSwitch = this.createAliasSwitch();
  }

  public offerTo(client: IClient): Offer {
    return this.offer(client, this.props.store);
  }

  /** The same collection for clients that only search; they get the token or the key that can only read. */
  public get readOnly(): IProvider {
    const store = this.props.store.readOnly;
    this.readOnlyView ??= { description: `${this.node.id}.readOnly`, offerTo: (client) => this.offer(client, store) };
    return this.readOnlyView;
  }

  /** The same collection for programs that need the full key of the database, such as a `QdrantRestore`. */
  public get administration(): IProvider {
    const store = this.props.store.administration;
    this.administrationView ??= {
      description: `${this.node.id}.administration`,
      offerTo: (client) => this.offer(client, store),
    };
    return this.administrationView;
  }

  private offer(client: IClient, store: IProvider): Offer {
    const { envPrefix = 'COLLECTION' } = this.props;
    const offer = store.offerTo(client);
    return {
      ...offer,
      env: {
        ...offer.env,
        // Its own name and no alias, so that a client changes collection and model in one step: its rollout.
        [`${envPrefix}_NAME`]: EnvValue.of(this.servedName),
        ...this.modelEnv(this.servedModel),
      },
      after: [this.bootstrap, this.aliasSwitch].flatMap((job) => job?.pods ?? []),
    };
  }

  private get servedName(): string {
    const { next } = this.props;
    return next?.switched === true ? next.name : this.name;
  }

  private get servedModel(): EmbeddingModel {
    const { model, next } = this.props;
    return next?.switched === true ? next.model : model;
  }

  private modelEnv(model: EmbeddingModel): { [name: string]: EnvValue } {
    return model.env(this.props.modelPrefix ?? 'EMBEDDING');
  }

  private checkNames(): void {
    const { next } = this.props;
    this.checkName('name', this.name);
    this.aliases.forEach((alias, index) => {
      this.checkName(`aliases[${index}]`, alias);
    });
    const twice = this.aliases.find((alias, index) => this.aliases.indexOf(alias) !== index);
    if (twice !== undefined) {
      this.refuse('aliases', `has "${twice}" twice; drop one`);
    }
    if (next !== undefined) {
      this.checkName('next.name', next.name);
      this.checkNext(next);
    }
    const taken = this.aliases.find((alias) => alias === this.name || alias === next?.name);
    if (taken !== undefined) {
      this.refuse('aliases', `has "${taken}", which is the name of a collection; give the alias another`);
    }
  }

  private checkName(property: string, name: string): void {
    if (!NAME.test(name)) {
      this.refuse(property, `is "${name}", but must be 1 to 255 letters, digits, "-", "_" and ".", not only dots`);
    }
  }

  private checkNext({ name }: NextCollection): void {
    if (this.aliases.length === 0) {
      this.refuse('aliases', 'is empty, but next needs one: where it points to says which collection has taken over');
    }
    if (name === this.name) {
      this.refuse('next.name', `is "${name}", the name of the present collection; give the new one another`);
    }
  }

  private checkNumbers(): void {
    const { store, shards, replicationFactor, writeConsistencyFactor, payloadIndexes = {} } = this.props;
    const copies = replicationFactor ?? store.replicationFactor;
    this.checkNumber('shards', shards, Number.POSITIVE_INFINITY, '');
    this.checkNumber('replicationFactor', replicationFactor, store.nodes, ', the number of nodes');
    this.checkNumber(
      'replicationFactor',
      replicationFactor,
      store.drain?.to ?? store.nodes,
      ', the nodes that the drain keeps',
    );
    this.checkNumber('writeConsistencyFactor', writeConsistencyFactor, copies, ', the number of copies');
    if (Object.keys(payloadIndexes).includes('')) {
      this.refuse('payloadIndexes', 'has a field without a name; name it as a path: metadata.language');
    }
  }

  private checkNumber(property: string, value: number | undefined, most: number, meaning: string): void {
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > most)) {
      const range = Number.isFinite(most) ? `from 1 to ${most}${meaning}` : 'from 1';
      this.refuse(property, `is ${value}, but must be a whole number ${range}`);
    }
  }

  private refuse(property: string, problem: string): never {
    throw new UsageError(problem, { scope: this, property });
  }

  private createBootstrap(): Job {
    const job = this.createProgramJob('Bootstrap', 'bootstrap', 'create-collections.mjs', {
      COLLECTION_FILE: EnvValue.of(COLLECTION_FILE),
      QDRANT_NODES: EnvValue.of(String(this.props.store.nodes)),
    });
    job.addConfigFiles({ [COLLECTION_FILE]: `${JSON.stringify(this.desiredState(), undefined, 2)}\n` });
    return job;
  }

  /** What create-collections.mjs reads. */
  private desiredState(): object {
    const { model, next } = this.props;
    const targets = next?.switched === true ? [this.name, next.name] : [this.name];
    return {
      collections: [
        this.desiredCollection(this.name, model),
        ...(next === undefined ? [] : [this.desiredCollection(next.name, next.model)]),
      ],
      aliases: Object.fromEntries(this.aliases.map((alias) => [alias, targets])),
    };
  }

  private desiredCollection(name: string, model: EmbeddingModel): object {
    const { onDisk, quantization, strictMode, payloadIndexes = {} } = this.props;
    const indexes = Object.entries(payloadIndexes).map(([field, index]) => [field, index._schema]);
    return {
      name,
      parameters: {
        vectors: { size: model.dimensions, distance: model.distance.name, on_disk: onDisk },
        shard_number: this.props.shards,
        replication_factor: this.props.replicationFactor,
        write_consistency_factor: this.props.writeConsistencyFactor,
        quantization_config: quantization && (quantization._config ?? null),
        strict_mode_config: strictMode && strictModeConfig(this, strictMode, this.props.store.nodes > 1),
        // Vectors of two models are of no use to one another, also when they are of one size.
        metadata: { [MODEL_KEY]: model.id },
      },
      payload_indexes: Object.fromEntries(indexes),
    };
  }

  private createBackfill(): Job | undefined {
    const { next, store } = this.props;
    if (next?.backfill === undefined || next.switched === true) {
      return undefined;
    }
    const { image, command, args, env, deadline, resources } = next.backfill;
    const job = new Job(this, 'Backfill', {
      ...next.backfill,
      // It is the container that has them.
      env: undefined,
      name: `${this.node.id}-backfill`,
      component: 'vector-store',
      container: {
        image,
        command,
        args,
        env,
        resources: resources ?? { cpu: Cpu.units(1), memory: Size.gibibytes(2) },
      },
      deadline,
    });
    job.uses({
      offerTo: (client) => {
        const offer = store.offerTo(client);
        const between = { ...this.betweenCollections(next), ...this.modelEnv(next.model) };
        return { ...offer, env: { ...offer.env, ...between }, after: [this.bootstrap.pods] };
      },
    });
    return job;
  }

  private createAliasSwitch(): Job | undefined {
    const { next } = this.props;
    if (next?.switched !== true) {
      return undefined;
    }
    const job = this.createProgramJob('Switch', 'switch', 'switch-aliases.mjs', {
      ...this.betweenCollections(next),
      ALIASES: EnvValue.of(this.aliases.join(',')),
    });
    job.uses({ offerTo: () => ({ endpoints: [], env: {}, after: [this.bootstrap.pods] }) });
    return job;
  }

  private betweenCollections(next: NextCollection): { [name: string]: EnvValue } {
    return { SOURCE_COLLECTION: EnvValue.of(this.name), TARGET_COLLECTION: EnvValue.of(next.name) };
  }

  private createProgramJob(id: string, name: string, main: string, env: { [name: string]: EnvValue }): Job {
    const { store, deadline = Duration.minutes(30) } = this.props;
    const program = QdrantProgram.forDatabase(store, main);
    const job = new Job(this, id, {
      ...this.props.jobs,
      // Collections come and go; the Jobs keep their names, so that each sync replaces those of the last.
      name: `${this.node.id}-${name}`,
      container: program.container(env),
      ...program.jobProps(deadline),
    });
    program.addTo(job);
    return job;
  }
}
