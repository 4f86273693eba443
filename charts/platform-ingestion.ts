import type { Construct } from 'constructs';
import { CronSync, type CronSyncProps } from '../constructs/ingestion/cron-sync';
import { IndexJob, type IndexJobProps } from '../constructs/ingestion/index-job';
import { Scheduler, type SchedulerProps } from '../constructs/ingestion/scheduler';
import { UsageError } from '../constructs/rules/usage-error';
import type { Image } from '../constructs/workload/image';
import type { IProvider } from '../constructs/workload/provider';
import { describedBy, withImageOf } from './described-by';

/** What every program of the ingestion may be told besides what its construct is told. */
export interface PlatformProgram {
  /**
   * What runs.
   * @default - the image of the workers, or where there are none, of the API
   */
  readonly image?: Image;

  /**
   * Hosts outside the cluster that it uses, such as the source of the documents.
   * @default - none
   */
  readonly externals?: IProvider[];
}

/** What fills the collection of a platform for the first time. */
export interface PlatformIndexProps extends Omit<IndexJobProps, 'image' | 'name'>, PlatformProgram {
  /**
   * Whether the API waits for it. It runs at every sync, so a source that is away then holds back every release of the
   * API; an API that answers from what there is so far does not need to wait.
   * @default false
   */
  readonly beforeApi?: boolean;
}

/** What brings the collection of a platform up to date with a source. */
export interface PlatformSyncProps extends Omit<CronSyncProps, 'image' | 'name'>, PlatformProgram {}

/** What hands out tasks of a platform by the clock. */
export interface PlatformSchedulerProps extends Omit<SchedulerProps, 'image' | 'name'>, PlatformProgram {}

/** Programs of the ingestion beside the workers. */
export interface PlatformIngestionProps {
  /**
   * What fills the collection for the first time, at every sync.
   * @default - none
   */
  readonly index?: PlatformIndexProps;

  /**
   * What brings the collection up to date with its sources, by the name of the source: `wiki` is the CronJob
   * `sync-wiki`.
   * @default - none
   */
  readonly syncs?: { readonly [source: string]: PlatformSyncProps };

  /**
   * What puts tasks into the queue by the clock, such as Celery beat. There is never more than one.
   * @default - none
   */
  readonly scheduler?: PlatformSchedulerProps;
}

/** What the programs of an ingestion are given. */
export interface PlatformIngestionSurroundings {
  /** The image of the workers or of the API. */
  readonly image: Image;
  /** The setting of the one whose image it is. */
  readonly imageSetting: string;
  /** What those use that read and write documents. */
  readonly providers: readonly IProvider[];
  /** The queue. */
  readonly queue?: IProvider;
}

/** The programs of a platform's ingestion that run beside the workers, each named like the setting that describes it. */
export class PlatformIngestion {
  /** What fills the collection for the first time. */
  public readonly index?: IndexJob;
  /** What brings it up to date, by the name of the source. */
  public readonly syncs: { readonly [source: string]: CronSync };
  /** What hands out tasks by the clock. */
  public readonly scheduler?: Scheduler;

  /** @internal */
  public constructor(
    private readonly scope: Construct,
    props: PlatformIngestionProps,
    private readonly surroundings: PlatformIngestionSurroundings,
  ) {
    this.index = this.createIndex(props.index);
    this.syncs = Object.fromEntries(
      Object.entries(props.syncs ?? {}).map(([source, sync]) => [source, this.createSync(source, sync)]),
    );
    this.scheduler = this.createScheduler(props.scheduler);
  }

  private createIndex(props: PlatformIndexProps | undefined): IndexJob | undefined {
    if (props === undefined) {
      return undefined;
    }
    const { image, providers } = this.surroundings;
    return this.described('index', props, (scope) => {
      const index = new IndexJob(scope, 'index', { image, ...props });
      index.uses(...providers, ...(props.externals ?? []));
      return index;
    });
  }

  private createSync(source: string, props: PlatformSyncProps): CronSync {
    const { image, providers } = this.surroundings;
    return this.described(`syncs.${source}`, props, (scope) => {
      const sync = new CronSync(scope, `sync-${source}`, { image, ...props });
      sync.uses(...providers, ...(props.externals ?? []));
      return sync;
    });
  }

  private createScheduler(props: PlatformSchedulerProps | undefined): Scheduler | undefined {
    if (props === undefined) {
      return undefined;
    }
    const { scope } = this;
    const { image, queue } = this.surroundings;
    if (queue === undefined) {
      throw new UsageError('is set, but there is no queue to put tasks into; set queue, or remove it', {
        scope,
        property: 'scheduler',
      });
    }
    return this.described('scheduler', props, () => {
      const scheduler = new Scheduler(scope, 'scheduler', { image, ...props });
      scheduler.uses(queue, ...(props.externals ?? []));
      return scheduler;
    });
  }

  /** Makes a program that this setting describes, but for the image where it has none of its own. */
  private described<Part>(
    setting: string,
    { image }: { readonly image?: Image },
    make: (scope: Construct) => Part,
  ): Part {
    const { scope, surroundings } = this;
    const description = image === undefined ? withImageOf(surroundings.imageSetting, setting) : setting;
    return describedBy(scope, description, () => make(scope));
  }
}
