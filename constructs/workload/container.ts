import type { Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Port } from '../network/port';
import type { ExtendedResource } from '../placement/placement';
import type { Registry } from '../placement/registry';
import type { EnvValue } from './env-value';
import type { Image } from './image';
import type { PodSecurityException } from './pod-security';
import type { Probe } from './probe';
import { type Resources, renderResources } from './resources';
import type { Mount } from './volume';

/** The main container of a workload, which is named like the workload. */
export interface MainContainerProps {
  /** What it runs. */
  readonly image: Image;

  /**
   * Program and first arguments.
   * @default - the image's entrypoint
   */
  readonly command?: string[];

  /**
   * Arguments.
   * @default - the image's
   */
  readonly args?: string[];

  /**
   * Environment variables.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };

  /**
   * Ports that it listens on.
   * @default - none
   */
  readonly ports?: Port[];

  /** What it asks for and may use. */
  readonly resources: Resources;

  /**
   * Whether it has started; until then no other probe runs.
   * @default - it has started at once
   */
  readonly startup?: Probe;

  /**
   * Whether it can serve; while not, Services leave the pod out.
   * @default - always
   */
  readonly readiness?: Probe;

  /**
   * Whether it works at all; when not, it is restarted. Must not depend on anything outside the pod, or one
   * outage elsewhere restarts everything here.
   * @default - it works as long as its process lives
   */
  readonly liveness?: Probe;

  /**
   * What is run in the container as it starts, beside its process; probes begin when it has ended.
   * @default - nothing
   */
  readonly postStart?: string[];

  /**
   * Time between the order to stop and SIGTERM, in which load balancers and Services stop sending. The image
   * must contain `sleep` (lifecycle sleep is not available on Kubernetes 1.28).
   * @default - SIGTERM at once
   */
  readonly preStopDelay?: Duration;

  /**
   * Volumes and where they are.
   * @default - none
   */
  readonly mounts?: Mount[];
}

/** A container of a pod. */
export interface ContainerProps extends MainContainerProps {
  /** Name of the container in its pod, a DNS label. */
  readonly name: string;
}

/** What a container needs from the pod and cluster that it is in. */
export interface ContainerSurroundings {
  /** Where images are pulled from. */
  readonly registry: Registry;
  /** All its variables. */
  readonly env: { readonly [name: string]: EnvValue };
  /** All its mounts. */
  readonly mounts: Mount[];
  /** Extended resource that it gets. */
  readonly extendedResource?: ExtendedResource;
  /** Disk-backed volumes that are counted into its ephemeral storage. */
  readonly scratch: Size[];
  /** Exceptions of the pod from the level "restricted". */
  readonly exceptions: PodSecurityException[];
}

/** The container as it stands in the pod. */
export function renderContainer(props: ContainerProps, surroundings: ContainerSurroundings): k8s.Container {
  const { registry, mounts, extendedResource, scratch, exceptions } = surroundings;
  const ports = (props.ports ?? []).map(({ name, number }) => ({ name, containerPort: number, protocol: 'TCP' }));
  const env = renderEnv(surroundings.env);
  return {
    name: props.name,
    image: props.image.in(registry),
    // A pinned image never changes, so one that is on the node need not be pulled again.
    imagePullPolicy: 'IfNotPresent',
    command: unlessEmpty(props.command),
    args: unlessEmpty(props.args),
    env: unlessEmpty(env),
    ports: unlessEmpty(ports),
    resources: renderResources(props.resources, scratch, extendedResource),
    startupProbe: props.startup?._render(),
    readinessProbe: props.readiness?._render(),
    livenessProbe: props.liveness?._render(),
    lifecycle: renderLifecycle(props),
    securityContext: renderSecurityContext(exceptions),
    volumeMounts: unlessEmpty(mounts.map(renderMount)),
  };
}

/** The API server drops an empty list, so it would differ from what is read back. */
function unlessEmpty<T>(list: T[] | undefined): T[] | undefined {
  return list?.length === 0 ? undefined : list;
}

/**
 * Variables in the order in which they were set, those that refer to others last, each after what it refers to: the kubelet
 * completes a variable with those before it.
 */
function renderEnv(env: { readonly [name: string]: EnvValue }): k8s.EnvVar[] {
  const names = Object.keys(env);
  const ordered = new Set(names.filter((name) => env[name]?.references.length === 0));
  const underway = new Set<string>();
  const add = (name: string): void => {
    if (!underway.has(name)) {
      underway.add(name);
      env[name]?.references.filter((reference) => Object.hasOwn(env, reference)).forEach(add);
      ordered.add(name);
    }
  };
  names.forEach(add);
  return [...ordered].map((name) => (env[name] as EnvValue)._render(name));
}

function renderLifecycle({ postStart, preStopDelay }: MainContainerProps): k8s.Lifecycle | undefined {
  if (postStart === undefined && preStopDelay === undefined) {
    return undefined;
  }
  return {
    postStart: postStart && { exec: { command: postStart } },
    preStop: preStopDelay && { exec: { command: ['sleep', String(preStopDelay.toSeconds())] } },
  };
}

function renderSecurityContext(exceptions: PodSecurityException[]): k8s.SecurityContext {
  const add = exceptions.map(({ capability }) => capability).filter((capability) => capability !== undefined);
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: add.length === 0 ? undefined : add },
  };
}

function renderMount({ volume, path, subPath, readOnly }: Mount): k8s.VolumeMount {
  return { name: volume.name, mountPath: path, subPath, readOnly: (readOnly ?? volume.fixed) || undefined };
}
