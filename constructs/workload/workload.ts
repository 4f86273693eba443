import { ApiObject, Chart, Duration, Lazy } from 'cdk8s';
import { type Cpu, k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { ConnectionGraph } from '../network/connection-graph';
import { Endpoint } from '../network/endpoint';
import { Peer, PodSet } from '../network/peer';
import { PodNetworkPolicy } from '../network/pod-network-policy';
import type { Port } from '../network/port';
import { SyncWave } from '../network/sync-wave';
import type { Accelerator } from '../placement/accelerator';
import { AcceleratorDemand } from '../placement/accelerator-demand';
import { Cluster } from '../placement/cluster';
import { Placement } from '../placement/placement';
import type { Spread } from '../placement/spread';
import { chartNamespace } from '../rules/chart-namespace';
import { checkAnnotations, checkLabels, isLabelValue } from '../rules/label';
import { type Check, LateChecks } from '../rules/late-checks';
import { checkEnvName, checkObjectName, dnsSubdomainProblem } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { checkSeconds } from '../rules/time-span';
import { refuse, UsageError } from '../rules/usage-error';
import type { CloudIdentity } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { ApiAccess, type ApiAccessRule } from './api-access';
import { ConfigFiles } from './config-files';
import { ConfigRollout } from './config-rollout';
import type { ContainerProps, MainContainerProps } from './container';
import { EnvValue } from './env-value';
import type { Jvm } from './jvm';
import { checkExceptions, exceptionAnnotations, type PodSecurityException, PodSecurityLevels } from './pod-security';
import { PodTemplate, type PodUser } from './pod-template';
import type { IClient, IProvider, Offer } from './provider';
import { cpuLimitProblem, type Resources } from './resources';
import type { SecretDelivery } from './secret-delivery';
import { SecretRotation } from './secret-rotation';
import { type Mount, Volume } from './volume';
import { WorkloadOffer, type WorkloadOfferProps } from './workload-offer';

/** What every workload lets its user change. */
export interface WorkloadOptions {
  /**
   * Name of the workload and of the objects that belong to it, a DNS label.
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * Variables of the main container besides those that providers give. What the library sets itself cannot be
   * set here: a program and its probes rely on it.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };

  /**
   * Names under which the image expects what providers give, by the name that they give it:
   * `{ QDRANT_URL: 'VECTOR_DB_URL' }`.
   * @default - the providers' names
   */
  readonly envNames?: { readonly [given: string]: string };

  /**
   * What happens to the ConfigMap of the pods when configuration files change. Jobs and CronJobs have no rollout: they keep
   * one ConfigMap, because a pod that is tried again after a sync would look for the old one in vain.
   * @default ConfigRollout.CHECKSUM
   */
  readonly configRollout?: ConfigRollout;

  /**
   * What has the pods use the new value of a Secret that they read. Jobs and CronJobs read Secrets when they start and
   * need nothing.
   * @default - SecretRotation.RELOADER where the cluster declares Reloader; otherwise nothing does, and a pod keeps the
   *   values with which it started until it is restarted
   */
  readonly secretRotation?: SecretRotation;

  /**
   * Name of the node pool to run on.
   * @default - with an accelerator, the first pool that has it; otherwise any node
   */
  readonly nodePool?: string;

  /**
   * PriorityClass of the pods; it must exist in the cluster.
   * @default - the cluster's default
   */
  readonly priorityClassName?: string;

  /**
   * Labels of the pods besides the library's own. They never become part of a selector.
   * @default - none
   */
  readonly podLabels?: { readonly [label: string]: string };

  /**
   * Annotations of the pods.
   * @default - none
   */
  readonly podAnnotations?: { readonly [annotation: string]: string };

  /**
   * Annotations of the ServiceAccount besides those of {@link identity}.
   * @default - none
   */
  readonly serviceAccountAnnotations?: { readonly [annotation: string]: string };

  /**
   * Who the pods are to a cloud: what they use there without keys, they use as this.
   * @default - nobody
   */
  readonly identity?: CloudIdentity;

  /**
   * What the main container may ask of the API server, in its own namespace.
   * @default - nothing: no token, no permission, and no way there
   */
  readonly apiAccess?: ApiAccessRule[];

  /**
   * Rules of the Pod Security level "restricted" that the image cannot keep, with reasons.
   * @default - none: the pods are restricted
   */
  readonly podSecurityExceptions?: PodSecurityException[];

  /**
   * Changes to the rendered pod, merged as a strategic merge patch would: maps by key, containers, volumes and
   * variables by name, mounts by path, everything else replaced. Of what there can be only one, such as a
   * variable's `value` and `valueFrom` or a probe's `httpGet` and `exec`, the one here takes the other's place.
   * A container without an image changes one of the pod's own. Nothing can be taken away here; a patch of the
   * object can: `workload.deployment.addJsonPatch(JsonPatch.remove('/spec/template/spec/…'))`. `containers` is
   * required by the type and may be empty.
   * @default - none
   */
  readonly podOverrides?: k8s.PodSpec;
}

/** What workloads let their user change whose program is the user's own. */
export interface ProgramOptions extends WorkloadOptions {
  /**
   * Configuration files, by the absolute path at which the program finds them: prompts, settings of models, feature
   * flags. They are in a ConfigMap, so they hold no secrets, and together less than 1 MiB. Pods restart when one changes,
   * as {@link configRollout} says. A content is kept byte for byte, its line endings too: where it is read from a file, the
   * file needs `eol=lf` in `.gitattributes`, or clones render different contents.
   * @default - none
   */
  readonly files?: { readonly [path: string]: string };

  /**
   * How the program gets the values of Secrets, both those that providers give and those in {@link env}; what is prepared
   * before it gets them alike. Files are for programs that read `<NAME>_FILE`, and for keys that change while a program
   * runs. Where an image expects another name than that, {@link envNames} has it: `{ QDRANT_API_KEY_FILE: 'KEY_PATH' }`.
   * @default SecretDelivery.ENV
   */
  readonly secretDelivery?: SecretDelivery;

  /**
   * How the JVM that runs the program uses its container.
   * @default - the program runs on none, or says so itself
   */
  readonly jvm?: Jvm;
}

/** What a kind of workload needs to know of its pods. */
export interface WorkloadProps extends ProgramOptions {
  /** What the workload is in the system: `api`, `vector-store`. */
  readonly component: string;

  /** The main container; it is named like the workload. */
  readonly container: MainContainerProps;

  /**
   * User and group of the containers.
   * @default - user and group 10001
   */
  readonly user?: PodUser;

  /**
   * Time that the containers have to end after the order to stop, pre-stop delay included; at least one second.
   * @default Duration.seconds(30)
   */
  readonly gracePeriod?: Duration;

  /**
   * Kind of GPU that each pod needs.
   * @default - no GPU
   */
  readonly accelerator?: Accelerator;

  /**
   * Units of the accelerator per pod.
   * @default 1 with an accelerator
   */
  readonly accelerators?: number;

  /**
   * Keys whose change restarts no pod.
   * @default - none: every Secret that a container reads restarts the pods when it changes, where Reloader does that
   */
  readonly unwatchedKeys?: SecretKey[];

  /**
   * The port that serves Prometheus metrics; one of the container's ports.
   * @default - no metrics
   */
  readonly metricsPort?: Port;
}

/** A Service in front of a workload. */
export interface ServiceProps {
  /**
   * Name of the Service.
   * @default - the name of the workload
   */
  readonly name?: string;

  /** Ports; numbers are those of the containers. */
  readonly ports: Port[];

  /**
   * Whether each pod gets a DNS name of its own instead of one address for all.
   * @default false
   */
  readonly headless?: boolean;

  /**
   * Whether pods that are not ready have a DNS name too, so that members of a cluster find one another
   * before any of them is ready.
   * @default false
   */
  readonly publishNotReadyAddresses?: boolean;
}

const GRACE_PERIOD = Duration.seconds(30);

const NAME_LABEL = 'app.kubernetes.io/name';
const INSTANCE_LABEL = 'app.kubernetes.io/instance';

/**
 * Something that runs pods. Deployments, StatefulSets, Jobs and CronJobs of this library are one of these,
 * so a fact about pods, names, labels, policies or security stands here or in the pod template, once.
 */
export abstract class Workload extends Construct implements IClient {
  /** Name of the workload. */
  public readonly name: string;
  /** Namespace of the workload. */
  public readonly namespace: string;
  /** The pods, as policies, Services and budgets select them. */
  public readonly pods: PodSet;
  /** Who the pods are to a cloud; undefined where nothing is declared. */
  public readonly identity?: CloudIdentity;
  /** The ServiceAccount that the pods run as. */
  public readonly serviceAccount: k8s.KubeServiceAccount;
  /** The network policies of the pods. */
  public readonly networkPolicy: PodNetworkPolicy;
  /** What the pods may ask of the API server; none as a rule. */
  public readonly apiAccess?: ApiAccess;

  /**
   * Where the pods run.
   * @internal
   */
  protected readonly placement: Placement;
  /** @internal */
  protected readonly template: PodTemplate;
  private readonly props: WorkloadProps & PodDetails;
  private readonly used = new Set<IProvider>();
  private readonly unwatchedKeys: SecretKey[];
  private readonly addresses = new Map<string, { readonly service: string; readonly port: Port }>();
  private config?: { readonly files: ConfigFiles; readonly volume: Volume };

  protected constructor(scope: Construct, id: string, kind: string, props: WorkloadProps & PodDetails) {
    super(scope, id);
    this.props = props;
    this.unwatchedKeys = [...(props.unwatchedKeys ?? [])];
    this.name = props.name ?? (id === 'Resource' ? scope.node.id : id);
    checkObjectName(this, this.name, kind);
    checkPodLabels(this, props.podLabels ?? {});
    refuse(dnsSubdomainProblem(props.priorityClassName ?? 'default'), { scope: this, property: 'priorityClassName' });
    checkAnnotations(this, 'podAnnotations', props.podAnnotations ?? {});
    checkAnnotations(this, 'serviceAccountAnnotations', props.serviceAccountAnnotations ?? {});
    checkEnv(this, props);
    props.identity?._checkOwn(this, props);
    checkRotation(this, props);
    checkSeconds(this, 'gracePeriod', props.gracePeriod ?? GRACE_PERIOD);
    this.namespace = chartNamespace(this);
    this.pods = new PodSet(this.namespace, this.name, selectorOf(this, this.name));
    this.placement = Placement.resolve(this, props);
    this.identity = props.identity;
    this.serviceAccount = this.createServiceAccount();
    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', {
      pods: this.pods,
      metadata: this.metadata(),
    });
    this.identity?._bind(this, { pods: this.pods, policy: this.networkPolicy, labels: this.labels() });
    this.template = this.createTemplate(props);
    this.apiAccess = this.createApiAccess(props.apiAccess ?? []);
    if (props.files !== undefined) {
      this.addConfigFiles(props.files);
    }
    this.acceptMetricsScrapes();
    LateChecks.of(this).add(this, () => [
      ...this.template.lateChecks(),
      ...this.addressChecks(),
      () => this.checkReread(),
    ]);
    checkExceptions(this, props.podSecurityExceptions ?? []);
    PodSecurityLevels.of(this).admit(this.namespace, props.podSecurityExceptions ?? []);
    OutputRules.attach(this);
  }

  /**
   * Lets the pods use these providers: the variables that say how, and the connections on both sides. Whatever
   * nobody uses stays closed, unless `networkPolicy` opens it. Using a provider twice changes nothing.
   */
  public uses(...providers: IProvider[]): void {
    for (const provider of providers.filter((candidate) => !this.used.has(candidate))) {
      checkProvider(this, provider);
      this.used.add(provider);
      this.accept(provider, provider.offerTo(this));
    }
  }

  private accept(provider: IProvider, offer: Offer): void {
    const origin = `uses(${describe(provider, offer)})`;
    for (const endpoint of offer.endpoints) {
      this.networkPolicy.allowToEndpoint(endpoint, offer.unordered !== true);
    }
    for (const before of offer.after ?? []) {
      ConnectionGraph.of(this).order(before, this.pods);
    }
    for (const [name, value] of Object.entries(offer.env)) {
      this.template.addGivenEnv(name, value, origin);
    }
    for (const name of offer.withoutEnv ?? []) {
      this.template.refuseEnv(name, origin);
    }
    this.unwatchedKeys.push(...(offer.unwatchedKeys ?? []));
    for (const { source, directory } of offer.files ?? []) {
      this.template.addSecretFile(source, directory);
    }
  }

  /** Adds a container beside the main one. */
  public addContainer(container: ContainerProps): void {
    this.template.addContainer(container);
  }

  /** Adds a container that must succeed before the others start. */
  public addInitContainer(container: ContainerProps): void {
    this.template.addInitContainer(container);
  }

  /**
   * Adds a container that must succeed before the others start, with all variables and volumes of the main one: what it
   * puts there, that one finds.
   */
  public addPreparation(container: ContainerProps): void {
    this.template.addPreparation(container);
  }

  /** Adds a volume to the main container. */
  public addVolume(mount: Mount): void {
    this.template.addMount(mount);
  }

  /**
   * Puts configuration files into a container, by absolute path. Pods restart when one changes. The directory of
   * a file keeps whatever the image has in it.
   *
   * @param files contents by path
   * @param container name of the container, which may be added later and may be an init container; without it
   *   the main one
   */
  public addConfigFiles(files: { readonly [path: string]: string }, container?: string): void {
    this.config ??= this.createConfig();
    const target = container === this.name ? undefined : container;
    for (const [path, content] of Object.entries(files)) {
      const subPath = this.config.files.add(path, content, target);
      this.template.addMount({ volume: this.config.volume, path, subPath }, target);
    }
  }

  /**
   * Puts keys of Secrets into a container as files, each named like its key. When a Secret changes, the files follow, and
   * the pods restart as {@link WorkloadOptions.secretRotation} says.
   *
   * @param directory absolute path of the directory, of which whatever the image has in it is hidden
   * @param keys keys of one or more Secrets
   * @param container name of the container, which may be added later and may be an init container; without it
   *   the main one
   */
  public addSecretFiles(directory: string, keys: SecretKey[], container?: string): void {
    this.template.addSecretFiles(keys, directory, container === this.name ? undefined : container);
  }

  /** Creates a Service in front of the pods. */
  public addService(props: ServiceProps): k8s.KubeService {
    const name = props.name ?? this.name;
    checkObjectName(this, name, 'Service');
    if (props.ports.length === 0) {
      throw new UsageError(`of Service "${name}" is empty; name at least one port`, { scope: this, property: 'ports' });
    }
    const headless = props.headless ?? false;
    return new k8s.KubeService(this, `Service-${name}`, {
      metadata: { ...this.metadata(), name },
      spec: {
        type: 'ClusterIP',
        clusterIp: headless ? 'None' : undefined,
        publishNotReadyAddresses: props.publishNotReadyAddresses,
        selector: this.pods.labels,
        ports: props.ports.map((port) => ({
          name: port.name,
          port: port.number,
          targetPort: k8s.IntOrString.fromNumber(port.number),
          protocol: 'TCP',
          appProtocol: port.appProtocol,
        })),
      },
    });
  }

  /** An address of the pods behind a Service, which has that port by the time of the output, for an offer. */
  public endpoint(port: Port, service: string = this.name): Endpoint {
    this.addresses.set(`${service}:${port.number}`, { service, port });
    return Endpoint.service(this.pods, service, port);
  }

  /** What others get when they use the workload, and what a Route leads to, behind a Service that it has. */
  public offer({ port, service, env = {} }: WorkloadOfferProps): WorkloadOffer {
    const { gracePeriod = GRACE_PERIOD, container } = this.props;
    const delay = container.preStopDelay?.toSeconds() ?? 0;
    const edgeTimeout = Duration.seconds(Math.max(1, gracePeriod.toSeconds() - delay));
    return new WorkloadOffer(this.name, this.endpoint(port, service), edgeTimeout, env);
  }

  private addressChecks(): Check[] {
    return [...this.addresses.values()].map(
      ({ service, port }) =>
        () =>
          this.checkAddress(service, port.number),
    );
  }

  /** Refuses an address that no Service has, whoever creates it. */
  private checkAddress(service: string, port: number): void {
    const found = this.node.root.node
      .findAll()
      .filter(ApiObject.isApiObject)
      .find(
        ({ kind, name, metadata }) => kind === 'Service' && name === service && metadata.namespace === this.namespace,
      );
    const open: number[] = (found?.toJson().spec.ports ?? []).map((candidate: k8s.ServicePort) => candidate.port);
    if (!open.includes(port)) {
      const lack = found === undefined ? 'which nobody creates' : `whose ports are ${open.join(', ')}`;
      throw new UsageError(`leads to port ${port} of Service "${service}", ${lack}; give addService that port`, {
        scope: this,
        property: 'endpoint',
      });
    }
  }

  /** Metadata of an object that belongs to the workload and is applied with it. */
  public metadata(): k8s.ObjectMeta {
    return { name: this.name, labels: this.labels(), annotations: SyncWave.of(this, this.pods).annotations };
  }

  /** Metadata of the object that holds the pods. */
  protected workloadMetadata(): k8s.ObjectMeta {
    const metadata = this.metadata();
    const exceptions = exceptionAnnotations(this.props.podSecurityExceptions ?? []);
    return { ...metadata, annotations: { ...metadata.annotations, ...exceptions } };
  }

  /** The same of an object whose pods stay, and so have to be replaced when a Secret changes. */
  protected lastingMetadata(): k8s.ObjectMeta {
    const metadata = this.workloadMetadata();
    return { ...metadata, annotations: { ...metadata.annotations, ...this.reloadAnnotations() } };
  }

  /**
   * Variables are read once, and few programs read a certificate twice, so pods have to restart when a Secret
   * changes. Configuration needs no such watch: its checksum is part of the pods. Left out are keys that a provider
   * refuses after a change in place, and authorities, which outlive the certificates in the same Secret. Pods of Jobs and
   * CronJobs read it when they start; of a CronJob Reloader would start a run, and a Job it would delete and create again, though Argo
   * CD runs it (stakater/Reloader, README, "Jobs" and "CronJobs").
   */
  private reloadAnnotations(): { [annotation: string]: string } {
    const { secretRotation = SecretRotation.RELOADER } = this.props;
    const reread = secretRotation === SecretRotation.REREAD;
    if (!Cluster.of(this).reloader || !(reread || secretRotation === SecretRotation.RELOADER)) {
      return {};
    }
    const produce = () => this.template.secretsToWatch(this.unwatchedKeys, reread).join(',') || undefined;
    return { 'secret.reloader.stakater.com/reload': Lazy.any({ produce }) };
  }

  /** Pods of Jobs and CronJobs are new ones in any case. */
  private get rereads(): boolean {
    return this.props.secretRotation === SecretRotation.REREAD && this.props.restartPolicy === undefined;
  }

  /** A variable is what it was when the container started, whatever the program reads again. */
  private checkReread(): void {
    const [variable] = this.template.secretVariables();
    if (this.rereads && variable !== undefined) {
      throw new UsageError(
        `is REREAD, but the variable ${variable} never changes in a container that runs; set secretDelivery to ` +
          'SecretDelivery.FILES, or choose another rotation',
        { scope: this, property: 'secretRotation' },
      );
    }
  }

  /** Labels of the workload's objects; the selector is the part of them that never changes. */
  protected labels(): { [label: string]: string } {
    return {
      ...Chart.of(this).labels,
      ...this.pods.labels,
      'app.kubernetes.io/component': this.props.component,
      'app.kubernetes.io/managed-by': 'cdk8s',
    };
  }

  private createConfig() {
    const { configRollout, restartPolicy } = this.props;
    const rollout = restartPolicy === undefined ? configRollout : ConfigRollout.CHECKSUM;
    const files = new ConfigFiles(this, 'Config', this.metadata(), rollout);
    return { files, volume: Volume._config('config', files) };
  }

  private createServiceAccount(): k8s.KubeServiceAccount {
    const metadata = this.metadata();
    return new k8s.KubeServiceAccount(this, 'ServiceAccount', {
      metadata: {
        ...metadata,
        annotations: {
          ...metadata.annotations,
          ...this.identity?.serviceAccountAnnotations,
          ...this.props.serviceAccountAnnotations,
        },
      },
      automountServiceAccountToken: false,
    });
  }

  private createApiAccess(rules: ApiAccessRule[]): ApiAccess | undefined {
    if (rules.length === 0) {
      return undefined;
    }
    const access = new ApiAccess(this, 'ApiAccess', {
      rules,
      namespace: this.namespace,
      metadata: this.metadata(),
      podLabels: this.pods.labels,
      policy: this.networkPolicy,
    });
    this.template.addMount(access.token);
    return access;
  }

  private createTemplate(props: WorkloadProps & PodDetails): PodTemplate {
    const { tag } = props.container.image;
    const template = new PodTemplate(this, {
      namespace: this.namespace,
      labels: {
        ...props.identity?.podLabels,
        ...props.podLabels,
        ...this.pods.labels,
        'app.kubernetes.io/component': props.component,
        ...(isLabelValue(tag) ? { 'app.kubernetes.io/version': tag } : {}),
      },
      annotations: { ...props.podAnnotations, ...rotationAnnotations(props) },
      serviceAccountName: this.name,
      user: props.user ?? { uid: 10001, gid: 10001 },
      placement: this.placement,
      spread:
        props.spread?._constraints(
          this.pods.selector,
          this.placement,
          props.replicas,
          props.spreadPerRevision ?? false,
        ) ?? [],
      restartPolicy: props.restartPolicy,
      gracePeriod: props.gracePeriod ?? GRACE_PERIOD,
      priorityClassName: props.priorityClassName,
      exceptions: props.podSecurityExceptions ?? [],
      envNames: props.envNames ?? {},
      secretDelivery: props.secretDelivery,
      proxyEnv: () => this.proxyEnv(),
      overrides: props.podOverrides,
    });
    const { container, env } = props;
    const jvm = props.jvm?._bind(this, container.resources, { ...container.env, ...env });
    template.addContainer({
      ...container,
      resources: this.limited(container.resources, props.cpuLimit),
      name: this.name,
      env: { ...container.env, ...jvm?.env, ...env },
      mounts: [...(container.mounts ?? []), ...(jvm?.mounts ?? [])],
    });
    return template;
  }

  private limited(resources: Resources, cpuLimit: Cpu | undefined): Resources {
    if (cpuLimit === undefined) {
      return resources;
    }
    refuse(cpuLimitProblem(cpuLimit, resources.cpu), { scope: this, property: 'cpuLimit' });
    return { ...resources, cpuLimit };
  }

  private proxyEnv(): { [name: string]: EnvValue } {
    const variables = Object.entries(this.networkPolicy.proxyVariables);
    return Object.fromEntries(variables.map(([name, value]) => [name, EnvValue.template(value)]));
  }

  /** Counts the accelerators that the workload can ask for at once against what its node pool has. */
  protected claimAccelerators(pods: number, property = 'accelerator'): void {
    const { pool, extendedResource } = this.placement;
    if (pool !== undefined && extendedResource !== undefined) {
      AcceleratorDemand.of(this).claim(pool, { workload: this, property, pods, perPod: extendedResource.count });
    }
  }

  private acceptMetricsScrapes(): void {
    const { metricsPort, container } = this.props;
    const { prometheus } = Cluster.of(this);
    if (metricsPort !== undefined && !container.ports?.some(({ number }) => number === metricsPort.number)) {
      throw new UsageError(`is ${metricsPort.number}, which is none of the container's ports; add it to them`, {
        scope: this,
        property: 'metricsPort',
      });
    }
    if (metricsPort !== undefined && prometheus !== undefined) {
      this.networkPolicy.allowFrom({ from: Peer.service(prometheus), ports: [metricsPort] });
    }
  }
}

/** What a kind of workload decides about its pods. */
export interface PodDetails {
  /** How the pods are kept apart. */
  readonly spread?: Spread;
  /** Number of pods, where it is known. */
  readonly replicas?: number;
  /** Whether each revision is spread for itself. */
  readonly spreadPerRevision?: boolean;
  /** What happens when a container ends; said of pods that end, those of Jobs and CronJobs, and of no others. */
  readonly restartPolicy?: string;
  /** Most CPU that the main container may use, where that is said beside its resources. */
  readonly cpuLimit?: Cpu;
}

/** Labels that the library gives to pods: selectors, policies and dashboards go by them. */
const OWN_LABELS = [NAME_LABEL, INSTANCE_LABEL, 'app.kubernetes.io/component', 'app.kubernetes.io/version'];

function checkPodLabels(scope: Construct, labels: { readonly [label: string]: string }): void {
  checkLabels(scope, 'podLabels', labels);
  const own = OWN_LABELS.find((label) => Object.hasOwn(labels, label));
  if (own !== undefined) {
    throw new UsageError(`has ${own}, which the library sets itself; leave it out`, { scope, property: 'podLabels' });
  }
}

function checkRotation(
  scope: Construct,
  { secretRotation, podAnnotations = {}, restartPolicy }: WorkloadOptions & PodDetails,
): void {
  if (restartPolicy === undefined && secretRotation === SecretRotation.RELOADER && !Cluster.of(scope).reloader) {
    throw new UsageError(
      'is RELOADER, but the cluster declares no Reloader; set reloader of the cluster, or restart the pods with ' +
        'SecretRotation.revision',
      { scope, property: 'secretRotation' },
    );
  }
  if (Object.hasOwn(podAnnotations, SecretRotation._ANNOTATION)) {
    throw new UsageError(`has ${SecretRotation._ANNOTATION}; say so with SecretRotation.revision`, {
      scope,
      property: 'podAnnotations',
    });
  }
}

/** Pods of Jobs and CronJobs are new ones in any case. */
function rotationAnnotations({ secretRotation, restartPolicy }: WorkloadProps & PodDetails): {
  [name: string]: string;
} {
  return restartPolicy === undefined ? (secretRotation?._podAnnotations ?? {}) : {};
}

/**
 * Two values for one variable are a mistake: the library's own are facts that its probes, scripts and other
 * workloads rely on. Values are not repeated, because one may be a secret.
 */
function checkEnv(scope: Construct, { container, env = {}, envNames = {} }: WorkloadProps): void {
  for (const [given, name] of Object.entries(envNames)) {
    checkEnvName(scope, `envNames.${given}`, name);
  }
  const twice = Object.keys(env).find((name) => Object.hasOwn(container.env ?? {}, name));
  if (twice !== undefined) {
    throw new UsageError(
      'is a variable that the library sets itself, because its programs and probes rely on the value; leave it out of env',
      { scope, property: `env.${twice}` },
    );
  }
}

/** Labels that select the pods of a workload: its name, and the instance of the system that it belongs to. */
function selectorOf(scope: Construct, name: string): { [label: string]: string } {
  const chart = Chart.of(scope);
  return { [NAME_LABEL]: name, [INSTANCE_LABEL]: chart.labels[INSTANCE_LABEL] ?? chart.node.id };
}

/** Which provider it was, as it stands in the call of `uses`. */
function describe(provider: IProvider, { endpoints }: Offer): string {
  const peers = [...new Set(endpoints.map(({ peer }) => peer.describe()))].join(', ');
  const id = provider instanceof Construct ? provider.node.id : undefined;
  const name = provider instanceof WorkloadOffer ? provider.name : undefined;
  return provider.description ?? id ?? name ?? (peers || 'provider');
}

/** The types say so, but not everybody writes types, and a Workload looks like something that can be used. */
function checkProvider(scope: Construct, provider: IProvider): void {
  const given: Partial<IProvider> | undefined = provider ?? undefined;
  if (typeof given?.offerTo === 'function') {
    return;
  }
  const problem =
    given instanceof Workload
      ? `got "${given.name}", a workload, which offers nothing by itself; use what its offer({ port }) returns`
      : `got ${given?.constructor?.name ?? 'nothing'}, which is no provider: it has no offerTo`;
  throw new UsageError(problem, { scope, property: 'uses' });
}
