import { Size } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { type Mount, Volume } from './volume';

const DIRECTORY = '/var/heap-dumps';

/**
 * One name, whatever the process id: a JVM writes over no file, so the first dump stays, and a pod that runs out of memory
 * again and again fills no disk.
 */
const FILE = `${DIRECTORY}/heap.hprof`;

/**
 * References take 8 bytes in a dump and 4 in a heap below 32 GiB, so of lists and maps the dump is nearly twice as large
 * (measured with OpenJDK 17: 1.9 times, for arrays of references).
 */
const LARGER_THAN_HEAP = 2;

/**
 * Where a JVM writes what was on its heap when it had no memory left: `/var/heap-dumps/heap.hprof`. While it is written
 * nothing else runs, and a liveness probe that fails meanwhile breaks it off.
 */
export class HeapDumps {
  /**
   * Space on the node's disk for a dump of the whole heap, twice as large as the heap; the pod's ephemeral storage counts
   * it. It stays while the container is restarted, and goes with the pod: copy it before a rollout.
   */
  public static readonly SCRATCH = new HeapDumps();

  /** A volume of each pod's own: {@link Volume.ephemeral}, a claim, or scratch space of another size. */
  public static on(volume: Volume): HeapDumps {
    return new HeapDumps(volume);
  }

  private constructor(private readonly volume?: Volume) {}

  /**
   * The file.
   * @internal
   */
  public get _file(): string {
    return FILE;
  }

  /**
   * The volume of a container whose heap can get so large.
   * @internal
   */
  public _mount(scope: IConstruct, heap: Size): Mount {
    const volume =
      this.volume ??
      Volume.scratch('heap-dumps', Size.mebibytes(Math.ceil(heap.toKibibytes() / 1024) * LARGER_THAN_HEAP));
    const { scratchSize } = volume;
    if (scratchSize !== undefined && kibibytesOf(scratchSize) < kibibytesOf(heap)) {
      throw new UsageError(
        `has ${sizeText(scratchSize)}, but the heap can have ${sizeText(heap)}, and a pod that writes more than the ` +
          'volume holds is evicted with its dump; give it up to twice the heap, or use HeapDumps.SCRATCH',
        { scope, property: 'jvm.heapDumps' },
      );
    }
    return { volume, path: DIRECTORY };
  }
}
