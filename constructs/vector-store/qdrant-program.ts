import { DefaultImages } from '../default-images';
import type { MainContainerProps } from '../workload/container';
import { EnvValue } from '../workload/env-value';
import { NodeProgram } from '../workload/node-program';
import type { IProvider } from '../workload/provider';
import type { Workload } from '../workload/workload';

/** What a program needs to know of the database whose nodes it speaks to. */
export interface QdrantAccess {
  /** Every node under its own name. */
  readonly everyNode: IProvider;
  /** Whether clients speak TLS to it. */
  readonly tls: boolean;
  /** Beginning of the names of the variables that clients get. */
  readonly envPrefix: string;
}

/** A program of this room that speaks to every node of a database. */
export class QdrantProgram {
  private readonly program: NodeProgram;

  public constructor(
    private readonly store: QdrantAccess,
    main: string,
    ...modules: string[]
  ) {
    this.program = NodeProgram.of(__dirname, main, 'qdrant-client.mjs', ...modules);
  }

  /** The container that runs it. */
  public container(env: { readonly [name: string]: EnvValue }): MainContainerProps {
    const trust: { [name: string]: EnvValue } = this.store.tls
      ? { NODE_EXTRA_CA_CERTS: EnvValue.template('$(QDRANT_CA_FILE)') }
      : {};
    return this.program.container(DefaultImages.NODE, { ...env, ...trust });
  }

  /** The program reads `QDRANT_URL`, whatever the database calls it to others. */
  public get envNames(): { [given: string]: string } {
    const { envPrefix, tls } = this.store;
    const facts = ['URL', 'NODE_URLS', 'GRPC_PORT', 'API_KEY', ...(tls ? ['CA_FILE'] : [])];
    return Object.fromEntries(facts.map((fact) => [`${envPrefix}_${fact}`, `QDRANT_${fact}`]));
  }

  /** Gives a workload what its container needs. */
  public addTo(workload: Workload): void {
    workload.addConfigFiles(this.program.files);
    workload.uses(this.store.everyNode);
  }
}
