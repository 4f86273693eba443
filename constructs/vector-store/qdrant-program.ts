import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { DefaultImages } from '../default-images';
import type { MainContainerProps } from '../workload/container';
import { EnvValue } from '../workload/env-value';
import type { JobRunProps } from '../workload/job';
import { NodeProgram } from '../workload/node-program';
import type { IProvider } from '../workload/provider';
import type { Workload, WorkloadProps } from '../workload/workload';

/** What a program needs to know of the database that it speaks to. */
export interface QdrantAccess {
  /** The database, with the key that may do everything. */
  readonly administration: IProvider;
  /** Every node under its own name, with the same key. */
  readonly everyNode: IProvider;
  /** Every node under its own name, also on the port of the nodes' own protocol. */
  readonly everyPeer: IProvider;
  /** Whether clients speak TLS to it. */
  readonly tls: boolean;
  /** Beginning of the names of the variables that clients get. */
  readonly envPrefix: string;
}

/** What every client of a database gets. */
const FACTS = ['URL', 'GRPC_PORT', 'API_KEY'];

/** Pieces wait in memory until the other side has taken them. */
const STREAMING = { cpu: Cpu.millis(50), memory: Size.mebibytes(256) };

/** A program of this room that speaks to a database. */
export class QdrantProgram {
  /** A program that speaks to the database by its Service. */
  public static forDatabase(store: QdrantAccess, main: string): QdrantProgram {
    return new QdrantProgram(store, store.administration, FACTS, main);
  }

  /** A program that speaks to every node under its own name. */
  public static forEveryNode(store: QdrantAccess, main: string): QdrantProgram {
    return new QdrantProgram(store, store.everyNode, [...FACTS, 'NODE_URLS'], main);
  }

  /** A program that also finds out whether a node waits for its cluster. */
  public static forEveryPeer(store: QdrantAccess, main: string): QdrantProgram {
    return new QdrantProgram(store, store.everyPeer, [...FACTS, 'NODE_URLS', 'PEER_URIS'], main);
  }

  private readonly program: NodeProgram;

  private constructor(
    private readonly store: QdrantAccess,
    private readonly provider: IProvider,
    private readonly facts: readonly string[],
    main: string,
  ) {
    this.program = NodeProgram.of(__dirname, main);
  }

  /** The container that runs it, with room for snapshots that pass through it in pieces. */
  public streamingContainer(env: { readonly [name: string]: EnvValue }): MainContainerProps {
    return { ...this.container(env), resources: STREAMING };
  }

  /** The container that runs it. */
  public container(env: { readonly [name: string]: EnvValue }): MainContainerProps {
    const trust: { [name: string]: EnvValue } = this.store.tls
      ? { NODE_EXTRA_CA_CERTS: EnvValue.template('$(QDRANT_CA_FILE)') }
      : {};
    return this.program.container(DefaultImages.NODE, { ...env, ...trust });
  }

  /** What Jobs that run it have in common. The usual deadline is for programs that move all that a database holds. */
  public jobProps(
    deadline = Duration.hours(6),
  ): Pick<WorkloadProps, 'component' | 'user' | 'envNames'> & Pick<JobRunProps, 'deadline'> {
    return {
      component: 'vector-store',
      // That of Qdrant's image: a rehearsal runs Qdrant beside its program.
      user: { uid: 1000, gid: 1000 },
      envNames: this.envNames,
      deadline,
    };
  }

  /** Gives a workload what its container needs. */
  public addTo(workload: Workload): void {
    workload.addConfigFiles(this.program.files);
    workload.uses(this.provider);
  }

  /** The program reads `QDRANT_URL`, whatever the database calls it to others. */
  private get envNames(): { [given: string]: string } {
    const { envPrefix, tls } = this.store;
    const facts = [...this.facts, ...(tls ? ['CA_FILE'] : [])];
    return Object.fromEntries(facts.map((fact) => [`${envPrefix}_${fact}`, `QDRANT_${fact}`]));
  }
}
