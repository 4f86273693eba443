import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import { EnvValue } from '../workload/env-value';
import { Job, type LibraryJobOptions } from '../workload/job';
import { NodeProgram } from '../workload/node-program';
import { SharedVolume } from '../workload/shared-volume';
import { Volume } from '../workload/volume';
import type { WorkloadOptions } from '../workload/workload';
import type { IModel } from './model';
import { hubOffer, type ModelHubProps, ModelSource } from './model-source';

/** A model that is fetched before its servers start. */
export interface ModelDownloadProps extends WorkloadOptions, LibraryJobOptions {
  /** The model. */
  readonly model: IModel;

  /** Volume that it is put into, in a folder named like its id, and its revision where it has one. */
  readonly volume: SharedVolume;

  /**
   * The hub.
   * @default - huggingface.co, without an account
   */
  readonly hub?: ModelHubProps;

  /**
   * Time after which the download is given up; the next sync goes on where it was.
   * @default Duration.hours(2)
   */
  readonly deadline?: Duration;
}

const PROGRAM = NodeProgram.of(__dirname, 'download-model.mjs');
const DIRECTORY = '/models';

/** What is written waits in memory for a volume that is slower than the hub. */
const RESOURCES = { cpu: Cpu.millis(50), memory: Size.mebibytes(256) };

/**
 * A Job that puts a model into a shared volume. Servers with {@link source} start after it, read the volume only,
 * and open no connection to any hub.
 */
export class ModelDownload extends Construct {
  /** The Job and what belongs to it. */
  public readonly workload: Job;
  /** The model as servers find it. */
  public readonly source: ModelSource;

  public constructor(scope: Construct, id: string, props: ModelDownloadProps) {
    super(scope, id);
    const { model, volume, hub = {} } = props;
    ModelSource.hub(hub).check(this, model, { source: 'hub' });
    this.workload = new Job(this, 'Resource', {
      ...props,
      component: 'model-download',
      deadline: props.deadline ?? Duration.hours(2),
      user: { uid: 1000, gid: SharedVolume.GROUP },
      container: {
        ...PROGRAM.container(
          DefaultImages.NODE,
          {
            MODEL_ID: EnvValue.of(model.id),
            MODEL_REVISION: EnvValue.of(model.revision ?? 'main'),
            MODEL_DIRECTORY: EnvValue.of(ModelSource.folderOf(model)),
          },
          RESOURCES,
        ),
        mounts: [{ volume: Volume.shared('models', volume), path: DIRECTORY }],
      },
    });
    this.workload.addConfigFiles(PROGRAM.files);
    this.workload.uses({ offerTo: (client) => hubOffer(hub, client) });
    volume.mountedBy(this.workload.pods);
    this.source = ModelSource._downloaded(model, volume, this.workload.pods);
  }
}
