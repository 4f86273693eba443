import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { checkIdentifier, type IPostgres } from '../data/postgres-access';
import { DefaultImages } from '../default-images';
import { Distance, type EmbeddingModel } from '../models/embedding-model';
import { ChangeRules } from '../rules/change-rules';
import { describeParts } from '../rules/described-parts';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { Job, type LibraryJobOptions } from '../workload/job';
import type { IClient, IProvider, Offer } from '../workload/provider';
import { scriptFile } from '../workload/script-file';
import { PGVECTOR_FILE, pgvectorChanges } from './pgvector-changes';

/** A table of vectors. */
export interface PgvectorProps {
  /** The database; its server must have the extension "vector", 0.7 or newer. */
  readonly database: IPostgres;

  /** Model whose vectors it holds: their size and distance. At most 4000 dimensions. Another model needs another table. */
  readonly model: EmbeddingModel;

  /**
   * Name of the table: 1 to 40 lower-case letters, digits and `_`.
   * @default - the construct's id, with "_" for "-"
   */
  readonly table?: string;

  /**
   * Links of a vector in the index, from 2 to 100: more find better, and take more memory and time to build. A change
   * holds for a new table only.
   * @default 16
   */
  readonly m?: number;

  /**
   * Candidates for each link while the index is built, from 4 to 1000 and at least twice `m`. A change holds for a new
   * table only.
   * @default 64
   */
  readonly efConstruction?: number;

  /**
   * How the Job is run that creates it.
   * @default - as any other pods
   */
  readonly job?: LibraryJobOptions;

  /**
   * Time that creating it may take. The index of a table that is filled already takes minutes for each million
   * vectors, and nobody can write meanwhile.
   * @default Duration.minutes(30)
   */
  readonly deadline?: Duration;

  /**
   * Beginning of the names of the variables that tell clients of the table: `PGVECTOR_TABLE`. A client of two tables
   * needs another for one of them.
   * @default "PGVECTOR"
   */
  readonly envPrefix?: string;

  /**
   * Beginning of the names of the variables that tell clients of the model: `EMBEDDING_MODEL`.
   * @default "EMBEDDING"
   */
  readonly modelPrefix?: string;
}

const SQL = scriptFile(__dirname, 'pgvector.sql');

/** Beginnings of the operator classes, and the operators that the index serves, by distance. */
const BY_DISTANCE = new Map([
  [Distance.COSINE, { name: 'cosine', operator: '<=>' }],
  [Distance.DOT, { name: 'ip', operator: '<#>' }],
  [Distance.EUCLID, { name: 'l2', operator: '<->' }],
  [Distance.MANHATTAN, { name: 'l1', operator: '<+>' }],
]);

/** Most dimensions that an HNSW index takes, by type of the vectors. */
const MOST_DIMENSIONS = { vector: 2000, halfvec: 4000 };

/** Leaves room for the name of the index, which PostgreSQL would cut off at 63. */
const LONGEST_TABLE = 40;

/**
 * Vectors of one model in a table of PostgreSQL, instead of a vector database. A Job creates the table with its index
 * at every sync, before its clients start, and never drops anything. It fails when a table of that name holds vectors
 * of another size, or of another model: the comment of the table says whose they are.
 *
 * The table has the columns `id` (uuid), `content` (text), `metadata` (jsonb) and `embedding`. Clients are told its
 * name, the type of the vectors, of half precision beyond 2000 dimensions, and the operator by which the index finds
 * the nearest: `order by embedding <=> $1`.
 *
 * Source: pgvector 0.8 docs, "HNSW", "Querying", "Half-Precision Vectors".
 */
export class Pgvector extends Construct implements IProvider {
  /** Name of the table. */
  public readonly table: string;
  /** The Job that creates the table and its index. */
  public readonly bootstrap: Job;

  private readonly props: PgvectorProps;
  private readonly type: 'vector' | 'halfvec';

  public constructor(scope: Construct, id: string, props: PgvectorProps) {
    super(scope, id);
    this.props = props;
    describeParts(this, { Table: (property) => (property === 'deadline' ? '' : 'job') });
    this.table = props.table ?? id.replaceAll('-', '_');
    this.type = props.model.dimensions <= MOST_DIMENSIONS.vector ? 'vector' : 'halfvec';
    this.check();
    props.database.ensureExtension('vector');
    this.bootstrap = this.createBootstrap();
    ChangeRules.of(this).add(pgvectorChanges);
  }

  public offerTo(client: IClient): Offer {
    return this.offer(client, this.props.database);
  }

  /** The same table for clients that go another way: `documents.through(database.pooled)`. */
  public through(way: IProvider): IProvider {
    return { offerTo: (client) => this.offer(client, way) };
  }

  private offer(client: IClient, way: IProvider): Offer {
    const { envPrefix = 'PGVECTOR', modelPrefix = 'EMBEDDING', model } = this.props;
    const offer = way.offerTo(client);
    return {
      ...offer,
      env: {
        ...offer.env,
        [`${envPrefix}_TABLE`]: EnvValue.of(this.table),
        [`${envPrefix}_TYPE`]: EnvValue.of(this.type),
        [`${envPrefix}_OPERATOR`]: EnvValue.of(this.distance.operator),
        ...model.env(modelPrefix),
      },
      after: [...(offer.after ?? []), this.bootstrap.pods],
    };
  }

  private get distance(): { readonly name: string; readonly operator: string } {
    const known = BY_DISTANCE.get(this.props.model.distance);
    if (known === undefined) {
      throw new UsageError(`is ${this.props.model.distance.name}, for which pgvector has no index`, {
        scope: this,
        property: 'model.distance',
      });
    }
    return known;
  }

  private check(): void {
    const { model, m = 16, efConstruction = 64 } = this.props;
    checkIdentifier(this, 'table', this.table, LONGEST_TABLE);
    if (model.dimensions > MOST_DIMENSIONS.halfvec) {
      this.refuse(
        'model.dimensions',
        `is ${model.dimensions}, but an index of pgvector takes at most ${MOST_DIMENSIONS.halfvec}; use a model with ` +
          'fewer, or Qdrant',
      );
    }
    this.checkNumber('m', m, 2, 100);
    this.checkNumber('efConstruction', efConstruction, 4, 1000);
    if (efConstruction < 2 * m) {
      this.refuse('efConstruction', `is ${efConstruction}, but must be at least twice m, which is ${m}`);
    }
  }

  private checkNumber(property: string, value: number, least: number, most: number): void {
    if (!Number.isInteger(value) || value < least || value > most) {
      this.refuse(property, `is ${value}, but must be a whole number from ${least} to ${most}`);
    }
  }

  private refuse(property: string, problem: string): never {
    throw new UsageError(problem, { scope: this, property });
  }

  private createBootstrap(): Job {
    const { database, deadline = Duration.minutes(30) } = this.props;
    const job = new Job(this, 'Table', {
      ...this.props.job,
      name: `${this.node.id}-table`,
      component: 'vector-store',
      container: {
        image: DefaultImages.POSTGRES,
        command: [
          'psql',
          '--no-psqlrc',
          '--quiet',
          '--set=ON_ERROR_STOP=1',
          ...this.variables(),
          `--file=${PGVECTOR_FILE}`,
        ],
        resources: { cpu: Cpu.millis(50), memory: Size.mebibytes(64) },
      },
      user: { uid: 999, gid: 999 },
      deadline,
    });
    job.addConfigFiles({ [PGVECTOR_FILE]: SQL });
    job.uses(database);
    return job;
  }

  /** What pgvector.sql reads. */
  private variables(): string[] {
    const { model, m = 16, efConstruction = 64 } = this.props;
    const { type, table, distance } = this;
    const variables = {
      table,
      type,
      dimensions: model.dimensions,
      wanted: `${type}(${model.dimensions})`,
      model: model.id,
      mark: `cdk8s-rag/model=${model.id}`,
      index: `${table}_embedding_${distance.name}`,
      opclass: `${type}_${distance.name}_ops`,
      m,
      ef_construction: efConstruction,
    };
    return Object.entries(variables).map(([name, value]) => `--set=${name}=${value}`);
  }
}
