import { Chart, JsonPatch, Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { RagApi, type RagApiProps } from '../constructs/api/rag-api';
import type { IQueue } from '../constructs/data/queue';
import type { EdgeProxy } from '../constructs/edge/edge-proxy';
import { Route } from '../constructs/edge/route';
import { EmbeddingWorkers, type EmbeddingWorkersProps } from '../constructs/ingestion/embedding-workers';
import { DefaultDeny } from '../constructs/network/default-deny';
import { SyncWave } from '../constructs/network/sync-wave';
import { Cluster } from '../constructs/placement/cluster';
import { dnsLabelProblem } from '../constructs/rules/object-name';
import { OutputRules } from '../constructs/rules/output-rules';
import { refuse, UsageError } from '../constructs/rules/usage-error';
import type { Scaling } from '../constructs/scaling/scaling';
import type { Qdrant } from '../constructs/vector-store/qdrant';
import type { QdrantCollection } from '../constructs/vector-store/qdrant-collection';
import type { Job } from '../constructs/workload/job';
import { PodSecurityLevels } from '../constructs/workload/pod-security';
import type { IProvider } from '../constructs/workload/provider';
import { PlatformData, type PlatformDataProps } from './platform-data';
import { PlatformIngestion, type PlatformIngestionProps } from './platform-ingestion';
import { PlatformModels, type PlatformModelsProps } from './platform-models';
import { PlatformVectors, type PlatformVectorsProps } from './platform-vectors';

/** The API of a platform. */
export interface PlatformApiProps extends RagApiProps {
  /**
   * Hosts outside the cluster that it uses, such as a hosted model.
   * @default - none
   */
  readonly externals?: IProvider[];
}

/** The workers of a platform. */
export interface PlatformWorkersProps extends Omit<EmbeddingWorkersProps, 'scaling'> {
  /**
   * How many workers there are, and who decides. A function gets the platform's queue, to scale on what waits in
   * it: `(queue) => Scaling.onBacklog(queue.list(), { perReplica: 20, min: 0, max: 8 })`. A queue of one's
   * own must be an {@link IQueue} then.
   * @default Scaling.fixed(1)
   */
  readonly scaling?: Scaling | ((queue: IQueue) => Scaling);

  /**
   * Hosts outside the cluster that they use, such as a model hub or an object store.
   * @default - none
   */
  readonly externals?: IProvider[];
}

/** The way into a platform. */
export interface PlatformRouteProps {
  /** Name of the host. */
  readonly host: string;

  /** What carries the requests. */
  readonly via: EdgeProxy;

  /**
   * Beginning of the paths.
   * @default "/"
   */
  readonly path?: string;
}

/** A RAG system in one namespace of one cluster. */
export interface RagPlatformProps
  extends PlatformVectorsProps,
    PlatformModelsProps,
    PlatformDataProps,
    PlatformIngestionProps {
  /**
   * Name of the system; it is part of every selector and cannot be changed later.
   * @default "rag"
   */
  readonly name?: string;

  /** Namespace, which the platform creates and closes. */
  readonly namespace: string;

  /**
   * The cluster.
   * @default - the cluster attached above, else Cluster.GENERIC
   */
  readonly cluster?: Cluster;

  /** The API. */
  readonly api: PlatformApiProps;

  /**
   * The workers that embed documents. They take tasks from `queue`, or from one of their `externals`.
   * @default - none; documents are embedded elsewhere
   */
  readonly embeddingWorkers?: PlatformWorkersProps;

  /**
   * The way in from outside.
   * @default - none; the API is reached inside the cluster only
   */
  readonly route?: PlatformRouteProps;
}

/** A whole RAG system: what it consists of, and who uses whom. */
export class RagPlatform extends Chart {
  /** The namespace. */
  public readonly namespaceObject: k8s.KubeNamespace;
  /** The vector database; none when another provider has the vectors. */
  public readonly qdrant?: Qdrant;
  /** The collection. */
  public readonly collection?: QdrantCollection;
  /** The model servers. */
  public readonly models: PlatformModels;
  /** The services around them. */
  public readonly data: PlatformData;
  /** The API. */
  public readonly api: RagApi;
  /** The workers. */
  public readonly embeddingWorkers?: EmbeddingWorkers;
  /** The programs of the ingestion beside the workers. */
  public readonly ingestion: PlatformIngestion;
  /** The way in. */
  public readonly route?: Route;

  public constructor(scope: Construct, id: string, props: RagPlatformProps) {
    super(scope, id, {
      namespace: props.namespace,
      labels: { 'app.kubernetes.io/instance': props.name ?? 'rag', 'app.kubernetes.io/managed-by': 'cdk8s' },
    });
    checkNamespace(this, props.namespace);
    props.cluster?.attachTo(this);
    this.namespaceObject = this.createNamespace(props.namespace, props.route?.via.namespaceLabels ?? {});
    new DefaultDeny(this, 'default-deny');
    this.data = new PlatformData(this, props, props.api.image, props.embeddingWorkers?.longestTask);
    const vectors = new PlatformVectors(this, props, props.embeddingModel, this.data);
    this.qdrant = vectors.qdrant;
    this.collection = vectors.collection;
    this.models = new PlatformModels(this, props, vectors.models, props.api.longestAnswer);
    this.models.fill(vectors.collection?.backfill);
    this.api = this.createApi(props.api, vectors);
    this.embeddingWorkers = this.createEmbeddingWorkers(props.embeddingWorkers, vectors);
    checkTasks(this, props);
    this.ingestion = this.createIngestion(props, vectors);
    this.fillAfterWorkers(vectors.collection?.backfill);
    this.route = this.createRoute(props.route);
    OutputRules.attach(this);
  }

  private createNamespace(name: string, labels: { readonly [label: string]: string }): k8s.KubeNamespace {
    const level = Lazy.any({ produce: () => PodSecurityLevels.of(this).levelOf(name) });
    const version = `v${Cluster.of(this).kubernetesVersion}`;
    const namespace = new k8s.KubeNamespace(this, 'namespace', {
      metadata: {
        name,
        // Everything in a namespace goes with it, volumes included.
        annotations: SyncWave.NAMESPACE.annotationsConfirmingDeletion,
        labels: {
          ...labels,
          'pod-security.kubernetes.io/enforce': level,
          'pod-security.kubernetes.io/enforce-version': version,
          'pod-security.kubernetes.io/audit': 'restricted',
          'pod-security.kubernetes.io/audit-version': version,
          'pod-security.kubernetes.io/warn': 'restricted',
          'pod-security.kubernetes.io/warn-version': version,
        },
      },
    });
    namespace.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
    return namespace;
  }

  private createApi(props: PlatformApiProps, vectors: PlatformVectors): RagApi {
    const api = new RagApi(this, 'api', props);
    api.uses(
      ...vectors.forQuestions,
      ...this.models.forQuestions,
      ...this.data.forPrograms,
      ...(props.externals ?? []),
    );
    return api;
  }

  private createEmbeddingWorkers(
    props: PlatformWorkersProps | undefined,
    vectors: PlatformVectors,
  ): EmbeddingWorkers | undefined {
    if (props === undefined) {
      return undefined;
    }
    // Workers with an accelerator compute themselves, unless there is a server for them.
    const computing = props.accelerator !== undefined && this.models.leavesItToWorkers;
    const workers = new EmbeddingWorkers(this, 'embedding-workers', {
      ...(computing ? this.models.computed : {}),
      ...props,
      scaling: this.workerScaling(props.scaling),
    });
    workers.uses(
      ...vectors.forDocuments,
      ...this.models.forDocuments(computing),
      ...this.data.forPrograms,
      ...(props.externals ?? []),
    );
    return workers;
  }

  /** What is computed for documents, a server computes for these programs. */
  private createIngestion(props: RagPlatformProps, vectors: PlatformVectors): PlatformIngestion {
    const ingestion = new PlatformIngestion(this, props, {
      image: props.embeddingWorkers?.image ?? props.api.image,
      imageSetting: props.embeddingWorkers === undefined ? 'api' : 'embeddingWorkers',
      providers: [...vectors.forDocuments, ...this.models.forDocuments(false), ...this.data.forPrograms],
      queue: this.data.queue,
    });
    if (ingestion.index !== undefined && props.index?.beforeApi === true) {
      this.api.uses(ingestion.index);
    }
    return ingestion;
  }

  /** The backfill copies what there is, so workers that are paused for it are gone before it begins. */
  private fillAfterWorkers(backfill: Job | undefined): void {
    const workers = this.embeddingWorkers;
    if (workers !== undefined) {
      backfill?.uses({ offerTo: () => ({ endpoints: [], env: {}, after: [workers.workload.pods] }) });
    }
  }

  private createRoute(props: PlatformRouteProps | undefined): Route | undefined {
    return props === undefined ? undefined : new Route(this, 'route', { ...props, name: 'public', to: this.api });
  }

  private workerScaling(scaling: PlatformWorkersProps['scaling']): Scaling | undefined {
    if (typeof scaling !== 'function') {
      return scaling;
    }
    const { queue } = this.data;
    if (queue === undefined || !isQueue(queue)) {
      const lack = queue === undefined ? 'the platform has none; add queue' : 'it has no list; give it one';
      throw new UsageError(`asks for the queue, but ${lack}, or scale on something else`, {
        scope: this,
        property: 'embeddingWorkers.scaling',
      });
    }
    return scaling(queue);
  }
}

/** Workers take tasks from a queue (docs/images.md); without one, and with nobody outside to ask, they never get any. */
function checkTasks(scope: Construct, { embeddingWorkers, queue }: RagPlatformProps): void {
  if (embeddingWorkers !== undefined && queue === undefined && (embeddingWorkers.externals ?? []).length === 0) {
    throw new UsageError(
      'has no queue to take tasks from; set queue, or name in externals where else its tasks come from',
      { scope, property: 'embeddingWorkers' },
    );
  }
}

function isQueue(provider: IProvider): provider is IQueue {
  return 'list' in provider && typeof provider.list === 'function';
}

/**
 * The platform closes its namespace to everything that it does not know, and hands it to Argo CD to prune. Names that
 * begin with "kube-" are Kubernetes' own (Kubernetes docs, "Namespaces").
 */
function checkNamespace(scope: Construct, namespace: string): void {
  refuse(dnsLabelProblem(namespace), { scope, property: 'namespace' });
  if (namespace === 'default' || namespace.startsWith('kube-')) {
    throw new UsageError(
      `is "${namespace}", which belongs to Kubernetes or to everybody, but the platform closes its namespace and lets ` +
        'Argo CD delete it; give it one of its own',
      { scope, property: 'namespace' },
    );
  }
}
