import { createHash } from 'node:crypto';
import type { Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Cluster } from '../placement/cluster';
import type { Placement } from '../placement/placement';
import { ExternalReferences } from '../rules/external-references';
import { UsageError } from '../rules/usage-error';
import { type ContainerProps, renderContainer } from './container';
import type { EnvValue } from './env-value';
import { mergeOverride } from './pod-overrides';
import type { PodSecurityException } from './pod-security';
import type { Mount, Volume } from './volume';

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
      volumes: volumes.length === 0 ? undefined : volumes.flatMap((volume) => volume._render()),
    };
  }

  private renderContainers(containers: ContainerProps[], withMain: boolean): k8s.Container[] {
    const { registry } = Cluster.of(this.scope);
    return containers.map((container, index) => {
      const main = withMain && index === 0;
      const { exceptions } = this.props;
      this.checkReferences(container, main);
      return renderContainer(container, {
        registry,
        env: main ? Object.fromEntries(this.env) : {},
        mounts: main ? this.mounts : [],
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
    return [...own, ...this.mounts];
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
    const { name, env = {}, mounts = [] } = container;
    if ([...this.containers, ...this.initContainers].some((other) => other.name === name)) {
      throw new UsageError(`has two containers named "${name}"; rename one`, { scope: this.scope });
    }
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

/** One checksum over all configuration files: when it changes, the pods restart. */
function checksumAnnotations(volumes: Volume[]): { [annotation: string]: string } {
  const checksums = volumes.flatMap((volume) => volume.config?.checksum ?? []);
  if (checksums.length === 0) {
    return {};
  }
  return { 'checksum/config': createHash('sha256').update(checksums.join()).digest('hex') };
}
