import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { MainContainerProps } from '../workload/container';
import type { Image } from '../workload/image';
import type { PodUser } from '../workload/pod-template';
import type { Resources } from '../workload/resources';
import { type Mount, Volume } from '../workload/volume';
import type { ProgramOptions } from '../workload/workload';

/** A program of the user's own that takes part in the ingestion. */
export interface IngestionProgramProps extends ProgramOptions {
  /** What runs; as a rule the image of the workers, so that both are of one release. */
  readonly image: Image;

  /** Program and first arguments: `['python', '-m', 'rag.index']`. */
  readonly command: string[];

  /**
   * Arguments.
   * @default - none
   */
  readonly args?: string[];

  /**
   * What it asks for.
   * @default - 250m CPU and 512 MiB
   */
  readonly resources?: Resources;

  /**
   * Space for temporary files at `/tmp`; the image itself is read-only.
   * @default Size.gibibytes(1)
   */
  readonly temporaryStorage?: Size;

  /**
   * User and group of the process.
   * @default - user and group 10001
   */
  readonly user?: PodUser;
}

/** The container of such a program. */
export function programContainer(props: IngestionProgramProps, mounts: Mount[] = []): MainContainerProps {
  const { image, command, args, resources, temporaryStorage = Size.gibibytes(1) } = props;
  return {
    image,
    command,
    args,
    resources: resources ?? { cpu: Cpu.millis(250), memory: Size.mebibytes(512) },
    mounts: [{ volume: Volume.scratch('tmp', temporaryStorage), path: '/tmp' }, ...mounts],
  };
}
