import { Size } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { textProblem } from '../rules/text';
import { refuse, UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import { EnvValue } from './env-value';
import type { HeapDumps } from './heap-dumps';
import type { Resources } from './resources';
import type { Mount } from './volume';

/** How a JVM uses its container. */
export interface JvmProps {
  /**
   * Part of the memory limit that the heap may take, in percent, from 10 to 90. The rest is for classes, compiled code,
   * threads, of which each reserves a stack of 1 MiB, and buffers outside the heap, as Netty has them. What leaves less
   * than 128 MiB for these is refused.
   * @default 75
   */
  readonly heap?: number;

  /**
   * Where the heap is dumped when there is no memory left; the JVM ends after that.
   * @default - nowhere; it ends at once
   */
  readonly heapDumps?: HeapDumps;

  /**
   * Processors that the JVM counts on: for threads of the garbage collector and the compiler, and for the pools that
   * ask it. With fewer than two it collects serially.
   * @default - the CPU limit; without one all processors of the node, or in releases before JDK-8281181 the CPU request
   */
  readonly processors?: number;

  /**
   * More options, each one word: `['-XX:+UseZGC', '-Duser.timezone=UTC']`.
   * @default - none
   */
  readonly options?: string[];
}

/** Variable that every JVM reads, however it is started; what the command line says besides counts more. */
const VARIABLE = 'JAVA_TOOL_OPTIONS';

const DEFAULT_HEAP = 75;
const LEAST_HEAP = 10;
const MOST_HEAP = 90;

/** A JVM that does nothing takes 60 MiB besides its heap (measured with OpenJDK 17 and G1); a program as much again. */
const LEAST_REST = Size.mebibytes(128);

/** Options that are said with properties, and that would make what follows from those wrong. */
const OWN_OPTION =
  /^(-Xmx|-XX:(MaxHeapSize|MaxRAM|MaxRAMPercentage|MinRAMPercentage|MaxRAMFraction|MinRAMFraction|HeapDumpPath|ActiveProcessorCount)=|-XX:[+-](HeapDumpOnOutOfMemoryError|ExitOnOutOfMemoryError)$)/;

/**
 * A main container whose program runs on a JVM of the HotSpot kind: Java, Kotlin, Scala. It gets options in
 * `JAVA_TOOL_OPTIONS`: the heap as a part of the memory limit, an end with exit code 3 when no memory is left, after which
 * the container is restarted, and no files of its own in `/tmp`. Libraries may want `/tmp` themselves: plain workloads
 * have none unless a volume is added.
 *
 * What ends the JVM is that the heap or the metaspace is full; when it can start no more threads it only throws.
 *
 * Source: JDK 25 docs, "The java Command"; Java SE 8 Troubleshooting Guide, "The JAVA_TOOL_OPTIONS Environment Variable".
 */
export class Jvm {
  /** A JVM with these properties. */
  public static of(props: JvmProps = {}): Jvm {
    const { heap = DEFAULT_HEAP, processors = 1, options = [] } = props;
    if (!Number.isInteger(heap) || heap < LEAST_HEAP || heap > MOST_HEAP) {
      throw new UsageError(`is ${heap}, but must be a whole number of percent from ${LEAST_HEAP} to ${MOST_HEAP}`, {
        property: 'jvm.heap',
      });
    }
    checkWholeNumber('jvm.processors', processors, 1);
    options.forEach(checkOption);
    return new Jvm({ ...props, options: [...options] });
  }

  private constructor(private readonly props: JvmProps) {}

  /**
   * What a container with these resources and variables gets.
   * @internal
   */
  public _bind(
    scope: IConstruct,
    resources: Resources,
    env: { readonly [name: string]: EnvValue },
  ): { readonly env: { readonly [name: string]: EnvValue }; readonly mounts: Mount[] } {
    if (Object.hasOwn(env, VARIABLE)) {
      throw new UsageError('is set by jvm; put its options into jvm.options, or leave jvm out', {
        scope,
        property: `env.${VARIABLE}`,
      });
    }
    const heap = this.heapWithin(scope, resources);
    const mount = this.props.heapDumps?._mount(scope, heap);
    return {
      env: { [VARIABLE]: EnvValue.of(this.options().join(' ')) },
      mounts: mount === undefined ? [] : [mount],
    };
  }

  private heapWithin(scope: IConstruct, { memory, memoryLimit }: Resources): Size {
    const percent = this.props.heap ?? DEFAULT_HEAP;
    const limit = memoryLimit ?? memory;
    const heap = Math.ceil((kibibytesOf(limit) * percent) / 100);
    const rest = kibibytesOf(limit) - heap;
    const least = kibibytesOf(LEAST_REST);
    if (rest < least) {
      const enough = Size.mebibytes(Math.ceil((least * 100) / (100 - percent) / 1024));
      throw new UsageError(
        `is ${percent} percent of ${sizeText(limit)}, which leaves less than ${sizeText(LEAST_REST)} for classes, ` +
          `compiled code and threads; make the memory limit ${sizeText(enough)} or more, or the heap a smaller part`,
        { scope, property: 'jvm.heap' },
      );
    }
    return Size.kibibytes(heap);
  }

  private options(): string[] {
    const { heap = DEFAULT_HEAP, heapDumps, processors, options = [] } = this.props;
    return [
      `-XX:MaxRAMPercentage=${heap}.0`,
      // It counts instead of the other below some 250 MiB, and otherwise for nothing.
      `-XX:MinRAMPercentage=${heap}.0`,
      '-XX:+ExitOnOutOfMemoryError',
      // Its counters are in a file in /tmp, which a root file system that cannot be written does not have.
      '-XX:-UsePerfData',
      ...(heapDumps === undefined ? [] : ['-XX:+HeapDumpOnOutOfMemoryError', `-XX:HeapDumpPath=${heapDumps._file}`]),
      ...(processors === undefined ? [] : [`-XX:ActiveProcessorCount=${processors}`]),
      ...options,
    ];
  }
}

function checkOption(option: string): void {
  refuse(textProblem(option), { property: 'jvm.options' });
  if (!/^-[^\s"']+$/.test(option)) {
    throw new UsageError(
      `has "${option}", but each is one word that begins with "-", without spaces and quotes: -XX:+UseZGC`,
      { property: 'jvm.options' },
    );
  }
  if (OWN_OPTION.test(option)) {
    throw new UsageError(`has "${option}", which heap, heapDumps, processors and the library say; leave it out`, {
      property: 'jvm.options',
    });
  }
}
