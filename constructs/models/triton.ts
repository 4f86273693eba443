import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Port } from '../network/port';
import type { Image } from '../workload/image';
import { Probe } from '../workload/probe';
import type { SharedVolume } from '../workload/shared-volume';
import { Volume } from '../workload/volume';
import type { IModel } from './model';
import {
  checkFit,
  ModelServer,
  type ModelServerDetails,
  type ModelServerOptions,
  temporaryFiles,
} from './model-server';
import { ModelSource } from './model-source';

/** A server of models in a repository of Triton's form. */
export interface TritonProps extends Omit<ModelServerOptions, 'source' | 'apiKey'> {
  /** The model that clients ask for; the repository has a folder of its name. */
  readonly model: IModel;

  /**
   * What runs: `nvcr.io/nvidia/tritonserver`, or an image made from it that contains the repository. The server
   * comes in many variants of tens of gigabytes, so none is chosen here.
   */
  readonly image: Image;

  /**
   * Volume that holds the repository.
   * @default - the image holds it, at `/models`
   */
  readonly repository?: SharedVolume;

  /**
   * Further arguments of `tritonserver`. Those that follow from other settings are refused, and so are other ports.
   * @default - none
   */
  readonly args?: string[];
}

const HTTP: Port = { name: 'http', number: 8000, appProtocol: 'http' };
const GRPC: Port = { name: 'grpc', number: 8001, appProtocol: 'grpc' };
const METRICS: Port = { name: 'metrics', number: 8002, appProtocol: 'http' };
const REPOSITORY = '/models';

/**
 * NVIDIA Triton Inference Server, behind the KServe v2 protocol by HTTP and gRPC.
 *
 * Source: triton-inference-server/server, "deploy/k8s-onprem" and "docs/user_guide"; `tritonserver --help`.
 */
export class Triton extends ModelServer {
  public constructor(scope: Construct, id: string, props: TritonProps) {
    super(scope, id, props, () => detailsOf(props));
    checkFit(this, props.model, props.accelerator);
  }
}

function detailsOf(props: TritonProps): ModelServerDetails {
  const longestRequest = props.longestRequest ?? Duration.minutes(1);
  return {
    model: props.model,
    image: props.image,
    command: ['tritonserver'],
    args: [
      {
        flag: '--model-repository',
        aliases: ['--model-store'],
        words: [`--model-repository=${REPOSITORY}`],
        setting: 'repository',
      },
      // SIGTERM waits for what is under way, for so long.
      {
        flag: '--exit-timeout-secs',
        words: [`--exit-timeout-secs=${longestRequest.toSeconds()}`],
        setting: 'longestRequest',
      },
      // Its own defaults are the ports above.
      ...['--http-port', '--grpc-port', '--metrics-port'].map((flag) => ({ flag, words: [] })),
    ],
    furtherArgs: props.args,
    source: props.repository === undefined ? ModelSource.IMAGE : ModelSource.prepared(props.repository),
    mounts: [temporaryFiles(), { volume: Volume.memory('shm', Size.gibibytes(1)), path: '/dev/shm' }],
    port: HTTP,
    grpcPort: GRPC,
    metricsPort: METRICS,
    // Ready is when every model is.
    ready: Probe.http('/v2/health/ready', HTTP, { timeout: Duration.seconds(5), period: Duration.seconds(5) }),
    alive: Probe.http('/v2/health/live', HTTP, { timeout: Duration.seconds(5), failures: 6 }),
    basePath: '/v2',
    // The image's own user.
    user: { uid: 1000, gid: 1000 },
    workingMemory: Size.gibibytes(4),
    warmup: Duration.minutes(2),
    longestRequest: Duration.minutes(1),
  };
}
