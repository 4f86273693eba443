import { createHash } from 'node:crypto';
import type { Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { Port } from '../network/port';
import { Cluster } from '../placement/cluster';
import type { Placement } from '../placement/placement';
import { ExternalReferences } from '../rules/external-references';
import { dnsLabelProblem } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { type ContainerProps, renderContainer } from './container';
import type { EnvValue } from './env-value';
import { mergeOverride } from './pod-overrides';

import type { PodSecurityException } from './pod-security';
import { checkResources } from './resources';
import { type Mount, Volume } from './volume';

/** User and group that the containers run as. */
export interface PodUser {
  /** User id, not 0. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
}

/** What the pods of a workload have in common. */
export interface PodTemplateProps {
  /** Namespace of the pods. */
  readonly namespace: string;
  /** Labels of the pods. */
  readonly labels: { readonly [label: string]: string };
  /** Annotations of the pods. */
  readonly annotations: { readonly [annotation: string]: string };
  /** ServiceAccount that they run as. */
  readonly serviceAccountName: string;
  /** User and group of the containers. */
  readonly user: PodUser;
  /** Where they run. */
  readonly placement: Placement;
  /** How they are spread. */
  readonly spread: k8s.TopologySpreadConstraint[];
  /** What happens when a container ends. */
  readonly restartPolicy?: string;
  /** Time that the containers have to end after the order to stop, pre-stop delays included. */
  readonly gracePeriod: Duration;
  /** PriorityClass of the pods. */
  readonly priorityClassName?: string;
  /** What the pods must be allowed beyond the level "restricted". */
  readonly exceptions: PodSecurityException[];
  /** Changes to the rendered pod. */
  readonly overrides?: k8s.PodSpec;
}

/**
 * The pods of a workload: what every pod of this library has in common stands here and nowhere else.
 * Containers, variables and volumes can be added until the output is rendered.
 */
export class PodTemplate {
  private readonly containers: ContainerProps[] = [];
  private readonly initContainers: ContainerProps[] = [];
  private readonly env = new Map<string, EnvValue>();
  private readonly mounts: Mount[] = [];
  private readonly secretFiles: { readonly source: SecretKey; readonly directory: string }[] = [];

  public constructor(
    private readonly scope: Construct,
    private readonly props: PodTemplateProps,
  ) {
    for (const name of Cluster.of(scope).registry.pullSecrets) {
      ExternalReferences.of(scope).declare({ kind: 'Secret', namespace: props.namespace, name });
    }
    if (props.placement.runtimeClassName !== undefined) {
      ExternalReferences.of(scope).declare({ kind: 'RuntimeClass', name: props.placement.runtimeClassName });
    }
    if (props.priorityClassName !== undefined) {
      ExternalReferences.of(scope).declare({ kind: 'PriorityClass', name: props.priorityClassName });
    }
  }

  /** Adds a container; the first is the main one and gets what is added to the pod as a whole. */
  public addContainer(container: ContainerProps): void {
    this.containers.push(this.accept(container));
  }

  /** Adds a container that must succeed before the others start. */
  public addInitContainer(container: ContainerProps): void {
    this.initContainers.push(this.accept(container));
  }

  /** Adds a variable to the main container. */
  public addEnv(name: string, value: EnvValue, origin: string): void {
    if (this.env.has(name) || this.containers[0]?.env?.[name] !== undefined) {
      throw new UsageError(
        `would be set twice, the second time by ${origin}; rename the one that is given with envNames, or drop it from env`,
        { scope: this.scope, property: `env.${name}` },
      );
    }
    value.secretKey?._bind(this.scope);
    this.env.set(name, value);
  }

  /** Adds a volume to the main container. */
  public addMount(mount: Mount): void {
    this.bindSecrets([mount]);
    this.mounts.push(mount);
  }

  /** Puts a key of a Secret into a directory of the main container, as a file. */
  public addSecretFile(source: SecretKey, directory: string): void {
    source._bind(this.scope);
    this.secretFiles.push({ source, directory });
  }

  /** Names of the Secrets that the containers use, sorted. */
  public get secrets(): string[] {
    const containers = [...this.containers, ...this.initContainers];
    const values = [...containers.flatMap(({ env = {} }) => Object.values(env)), ...this.env.values()];
    const keys = [
      ...values.flatMap(({ secretKey }) => secretKey ?? []),
      ...this.allMounts().flatMap(({ volume }) => volume.secretKeys),
    ];
    return [...new Set(keys.map(({ secret }) => secret))].sort();
  }

  /** The template as it stands in the workload. */
  public render(): k8s.PodTemplateSpec {
    const volumes = this.volumes();
    const annotations = { ...this.props.annotations, ...checksumAnnotations(volumes) };
    return {
      metadata: {
        labels: { ...this.props.labels },
        annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
      },
      spec: mergeOverride(this.renderSpec(volumes), this.props.overrides),
    };
  }

  private renderSpec(volumes: Volume[]): k8s.PodSpec {
    const { props } = this;
    const { placement } = props;
    const { pullSecrets } = Cluster.of(this.scope).registry;
    const initContainers = this.renderContainers(this.initContainers, false);
    const rendered = volumes.flatMap((volume) => volume._render());
    return {
      restartPolicy: props.restartPolicy,
      serviceAccountName: props.serviceAccountName,
      automountServiceAccountToken: false,
      // A Service named like a program's own setting would otherwise change it: VLLM_PORT, REDIS_PORT.
      enableServiceLinks: false,
      securityContext: this.renderSecurityContext(volumes),
      imagePullSecrets: pullSecrets.length === 0 ? undefined : pullSecrets.map((name) => ({ name })),
      priorityClassName: props.priorityClassName,
      runtimeClassName: placement.runtimeClassName,
      nodeSelector: Object.keys(placement.nodeSelector).length === 0 ? undefined : placement.nodeSelector,
      tolerations: placement.tolerations.length === 0 ? undefined : placement.tolerations,
      topologySpreadConstraints: props.spread.length === 0 ? undefined : props.spread,
      terminationGracePeriodSeconds: props.gracePeriod.toSeconds(),
      initContainers: initContainers.length === 0 ? undefined : initContainers,
      containers: this.renderContainers(this.containers, true),
      volumes: rendered.length === 0 ? undefined : rendered,
    };
  }

  private renderContainers(containers: ContainerProps[], withMain: boolean): k8s.Container[] {
    const { registry } = Cluster.of(this.scope);
    return containers.map((container, index) => {
      const main = withMain && index === 0;
      const { exceptions } = this.props;
      this.checkReferences(container, main);
      checkMounts(this.scope, [...(container.mounts ?? []), ...(main ? this.mainMounts() : [])]);
      return renderContainer(container, {
        registry,
        env: main ? Object.fromEntries(this.env) : {},
        mounts: main ? this.mainMounts() : [],
        extendedResource: main ? this.props.placement.extendedResource : undefined,
        scratch: main ? this.scratch() : [],
        exceptions,
      });
    });
  }

  private renderSecurityContext(volumes: Volume[]): k8s.PodSecurityContext {
    const { user, exceptions } = this.props;
    const asRoot = exceptions.some(({ rule }) => rule === 'runAsNonRoot');
    const owned = volumes.some((volume) => volume.ownedByGroup);
    return {
      runAsNonRoot: !asRoot,
      runAsUser: asRoot ? 0 : user.uid,
      runAsGroup: asRoot ? 0 : user.gid,
      fsGroup: owned ? user.gid : undefined,
      // Walking a large volume at every start would take minutes.
      fsGroupChangePolicy: owned ? 'OnRootMismatch' : undefined,
      seccompProfile: { type: 'RuntimeDefault' },
    };
  }

  /** Every volume that a container mounts, once. */
  private volumes(): Volume[] {
    const byName = new Map<string, Volume>();
    for (const { volume } of this.allMounts()) {
      const known = byName.get(volume.name);
      if (known !== undefined && known !== volume) {
        throw new UsageError(`has two volumes named "${volume.name}"; rename one`, { scope: this.scope });
      }
      byName.set(volume.name, volume);
    }
    return [...byName.values()];
  }

  /** Disk that the pod's scratch volumes can hold: the kubelet counts it against the containers' limits. */
  private scratch(): Size[] {
    return this.volumes().flatMap((volume) => volume.scratchSize ?? []);
  }

  private allMounts(): Mount[] {
    const own = [...this.containers, ...this.initContainers].flatMap((container) => container.mounts ?? []);
    return [...own, ...this.mainMounts()];
  }

  private mainMounts(): Mount[] {
    return [...this.mounts, ...this.secretMounts()];
  }

  /** One volume for each Secret of which files are wanted, in every directory where they are. */
  private secretMounts(): Mount[] {
    const secrets = [...new Set(this.secretFiles.map(({ source }) => source.secret))];
    return secrets.flatMap((secret) => {
      const files = this.secretFiles.filter(({ source }) => source.secret === secret);
      const keys = [...new Map(files.map(({ source }) => [source.key, source])).values()];
      const volume = Volume.secret(`secret-${secret.replaceAll('.', '-')}`.slice(0, 63), keys);
      return [...new Set(files.map(({ directory }) => directory))].map((path) => ({ volume, path }));
    });
  }

  private envOf(container: ContainerProps, main: boolean): { [name: string]: EnvValue } {
    return { ...container.env, ...(main ? Object.fromEntries(this.env) : {}) };
  }

  private checkReferences(container: ContainerProps, main: boolean): void {
    const env = this.envOf(container, main);
    for (const [name, value] of Object.entries(env)) {
      for (const reference of value.references) {
        if (env[reference] === undefined || env[reference].references.length > 0) {
          throw new UsageError(
            `refers to $(${reference}), which is not a plain variable of the container; the text would stay as it is`,
            { scope: this.scope, property: `env.${name}` },
          );
        }
      }
    }
  }

  private accept(container: ContainerProps): ContainerProps {
    const { name, image, env = {}, mounts = [], ports = [], resources } = container;
    const { scope } = this;
    if ([...this.containers, ...this.initContainers].some((other) => other.name === name)) {
      throw new UsageError(`has two containers named "${name}"; rename one`, { scope });
    }
    checkContainerName(scope, name);
    checkPorts(scope, ports);
    checkResources(scope, resources);
    image.in(Cluster.of(scope).registry, scope);
    for (const value of Object.values(env)) {
      value.secretKey?._bind(this.scope);
    }
    this.bindSecrets(mounts);
    return container;
  }

  private bindSecrets(mounts: Mount[]): void {
    for (const key of mounts.flatMap(({ volume }) => volume.secretKeys)) {
      key._bind(this.scope);
    }
  }
}

function checkContainerName(scope: Construct, name: string): void {
  const problem = dnsLabelProblem(name);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property: 'container.name' });
  }
}

const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

function checkPorts(scope: Construct, ports: Port[]): void {
  for (const { name, number } of ports) {
    if (!PORT_NAME.test(name)) {
      throw new UsageError(`is "${name}", but must be at most 15 lower-case letters, digits and "-"`, {
        scope,
        property: 'ports.name',
      });
    }
    if (!Number.isInteger(number) || number < 1024 || number > 65535) {
      throw new UsageError(`is ${number}, but must be from 1024 to 65535: containers run without privileges`, {
        scope,
        property: 'ports.number',
      });
    }
  }
}

function checkMounts(scope: Construct, mounts: Mount[]): void {
  const paths = mounts.map(({ path }) => path);
  const relative = paths.find((path) => !path.startsWith('/'));
  if (relative !== undefined) {
    throw new UsageError(`is "${relative}", but must be absolute`, { scope, property: 'mounts.path' });
  }
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new UsageError(`is "${twice}" twice; mount one of the two elsewhere`, { scope, property: 'mounts.path' });
  }
}

/** One checksum over all configuration files: when it changes, the pods restart. */
function checksumAnnotations(volumes: Volume[]): { [annotation: string]: string } {
  const checksums = volumes.flatMap((volume) => volume.config?.checksum ?? []);
  if (checksums.length === 0) {
    return {};
  }
  return { 'checksum/config': createHash('sha256').update(checksums.join()).digest('hex') };
}
