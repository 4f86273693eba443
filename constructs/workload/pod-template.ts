import { createHash } from 'node:crypto';
import type { Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { API_SERVER_HOST } from '../network/pod-network-policy';
import type { Port } from '../network/port';
import { Cluster } from '../placement/cluster';
import type { Placement } from '../placement/placement';
import { ExternalReferences } from '../rules/external-references';
import type { Check } from '../rules/late-checks';
import { checkEnvName, dnsLabelProblem } from '../rules/object-name';
import { textProblem } from '../rules/text';
import { secondsOf } from '../rules/time-span';
import { refuse, UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { type ContainerProps, renderContainer } from './container';
import { EnvValue } from './env-value';
import type { Image } from './image';
import { architectureProblem, nodeSelectorFor } from './pod-architecture';
import { mergeOverride, overrideProblem } from './pod-overrides';
import { secretsReadBy } from './pod-secrets';
import type { PodSecurityException } from './pod-security';
import { checkResources } from './resources';
import { type DerivedVariable, SecretDelivery } from './secret-delivery';
import { type Mount, Volume } from './volume';

/** User and group that the containers run as. */
export interface PodUser {
  /** User id, from 1; {@link PodSecurityException.runAsRoot} is for images that need 0. */
  readonly uid: number;
  /** Group id, from 0. */
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
  /** Names under which the main container expects what it is given, by the name that it is given under. */
  readonly envNames: { readonly [given: string]: string };
  /**
   * How the main container gets the values of Secrets.
   * @default SecretDelivery.ENV
   */
  readonly secretDelivery?: SecretDelivery;
  /** Variables of the main container that lead it to the proxy of the cluster, once everything is connected. */
  readonly proxyEnv: () => { readonly [name: string]: EnvValue };
  /** Changes to the rendered pod. */
  readonly overrides?: k8s.PodSpec;
}

/** Where programs put temporary files. */
const TEMPORARY_FILES = '/tmp';

/**
 * The pods of a workload: what every pod of this library has in common stands here and nowhere else.
 * Containers, variables and volumes can be added until the output is rendered.
 */
export class PodTemplate {
  private readonly containers: ContainerProps[] = [];
  private readonly initContainers: ContainerProps[] = [];
  private readonly preparations = new Set<string>();
  private readonly env = new Map<string, EnvValue>();
  private readonly origins = new Map<string, string>();
  private readonly given = new Set<string>();
  private readonly unwanted = new Map<string, string>();
  private readonly mounts: { readonly mount: Mount; readonly container?: string }[] = [];
  private readonly providerClasses = new Set<string>();
  private readonly secretFiles: { readonly source: SecretKey; readonly directory: string }[] = [];

  public constructor(
    private readonly scope: Construct,
    private readonly props: PodTemplateProps,
  ) {
    checkId(scope, 'user.uid', props.user.uid, 1);
    checkId(scope, 'user.gid', props.user.gid, 0);
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
    // The containers of a pod share its address.
    const taken = this.containers.flatMap(({ ports = [] }) => ports);
    checkPorts(this.scope, [...taken, ...(container.ports ?? [])]);
    this.containers.push(this.accept(container));
  }

  /** Adds a container that must succeed before the others start. */
  public addInitContainer(container: ContainerProps): void {
    checkPorts(this.scope, container.ports ?? []);
    this.initContainers.push(this.accept(container));
  }

  /** Adds a container that must succeed before the others start, with all variables and volumes of the main one. */
  public addPreparation(container: ContainerProps): void {
    this.addInitContainer(container);
    this.preparations.add(container.name);
  }

  /** Adds a variable that a provider gives to the main container, under the name that its image expects. */
  public addGivenEnv(given: string, value: EnvValue, origin: string): void {
    const { envNames } = this.props;
    checkEnvName(this.scope, `variable of ${origin}`, given);
    const name = envNames[given] ?? given;
    const renamed = value.renamed(envNames);
    const earlier = this.env.get(name) ?? this.containers[0]?.env?.[name];
    // Two providers may tell the same fact: a model server and a collection both name their model.
    if (earlier !== undefined && !(this.env.has(name) && earlier.equals(renamed))) {
      const before = this.origins.get(name);
      // What stands in env may be a secret that somebody wrote there.
      const problem =
        before === undefined
          ? `is set by env and given by ${origin}`
          : `is ${earlier.shown} from ${before}, but ${renamed.shown} from ${origin}`;
      throw new UsageError(`${problem}; rename what is given with envNames, or drop one of the two`, {
        scope: this.scope,
        property: `env.${name}`,
      });
    }
    this.bindSecret(value.secretKey);
    this.given.add(given);
    this.env.set(name, renamed);
    this.origins.set(name, origin);
  }

  /** Refuses a variable of the main container, whoever sets it, now or later. */
  public refuseEnv(name: string, origin: string): void {
    this.unwanted.set(name, origin);
  }

  /** Adds a volume to a container, which may come later; without a name to the main one. */
  public addMount(mount: Mount, container?: string): void {
    this.bindMounted([mount]);
    this.mounts.push({ mount, container });
  }

  /** Puts a key of a Secret into a directory of the main container, as a file. */
  public addSecretFile(source: SecretKey, directory: string): void {
    this.bindSecret(source);
    this.secretFiles.push({ source, directory });
  }

  /** Puts keys of Secrets into a directory of a container, as files that are named like the keys. */
  public addSecretFiles(keys: SecretKey[], directory: string, container?: string): void {
    const names = keys.map(({ key }) => key);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (keys.length === 0 || twice !== undefined) {
      throw new UsageError(
        keys.length === 0
          ? `are none for "${directory}"; name at least one`
          : `has "${twice}" twice for "${directory}", and files are named like the keys; put one into another directory`,
        { scope: this.scope, property: 'secretFiles' },
      );
    }
    const place = container === undefined ? directory : `${container}:${directory}`;
    const files = Object.fromEntries(keys.map((key) => [key.key, key]));
    const volume = Volume._secretFiles(volumeNameOf(place.replace(/^\//, ''), 'secrets-at'), files);
    this.addMount({ volume, path: directory }, container);
  }

  /** Names of the variables of the main container that have the value of a Secret. */
  public secretVariables(): string[] {
    const env = Object.entries(this.deliveredEnv());
    return env.filter(([, { secretKey }]) => secretKey !== undefined).map(([name]) => name);
  }

  /**
   * Names of the Secrets that the pods read at start, overrides included, sorted; without those of which only these
   * keys are read, without the files that providers give, and without any files where they are read again.
   */
  public secretsToWatch(unwatched: SecretKey[], filesAreReread: boolean): string[] {
    const given = this.secretMounts().map(({ volume }) => volume.name);
    const spec = this.mergedSpec(this.volumes());
    const volumes = filesAreReread ? [] : spec.volumes?.filter(({ name }) => !given.includes(name));
    const watched = secretsReadBy({ ...spec, volumes }).filter(
      ({ secret, key }) => !unwatched.some((other) => other.secret === secret && other.key === key),
    );
    return [...new Set(watched.map(({ secret }) => secret))].sort();
  }

  /** What can be checked only when everything has been added. */
  public lateChecks(): Check[] {
    return [
      () => this.checkEnvNames(),
      () => this.checkUnwantedEnv(),
      () => this.checkDelivery(),
      () =>
        refuse(architectureProblem(this.props.placement, this.images()), {
          scope: this.scope,
          property: 'image.architectures',
        }),
      () => this.checkVolumes(),
      () => this.checkMountTargets(),
      () => this.checkOverrides(),
      ...[...this.containers, ...this.initContainers].flatMap((container) => [
        () => this.checkReferences(this.envOf(container)),
        () => this.checkWords(container),
        () => checkMounts(this.scope, this.mountsOf(container)),
      ]),
    ];
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
      spec: this.mergedSpec(volumes),
    };
  }

  private mergedSpec(volumes: Volume[]): k8s.PodSpec {
    // An override that is refused is left out, so that the rules judge the pod and not what came of the mistake.
    const refused = this.overrideProblems().length > 0;
    return mergeOverride(this.renderSpec(volumes), refused ? undefined : this.props.overrides);
  }

  private renderSpec(volumes: Volume[]): k8s.PodSpec {
    const { props } = this;
    const { placement } = props;
    const { pullSecrets } = Cluster.of(this.scope).registry;
    const initContainers = this.renderContainers(this.initContainers);
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
      nodeSelector: this.renderNodeSelector(),
      affinity: placement.nodeAffinity && { nodeAffinity: placement.nodeAffinity },
      tolerations: placement.tolerations.length === 0 ? undefined : placement.tolerations,
      topologySpreadConstraints: props.spread.length === 0 ? undefined : props.spread,
      terminationGracePeriodSeconds: props.gracePeriod.toSeconds(),
      initContainers: initContainers.length === 0 ? undefined : initContainers,
      containers: this.renderContainers(this.containers),
      volumes: rendered.length === 0 ? undefined : rendered,
    };
  }

  private renderNodeSelector(): { [label: string]: string } | undefined {
    const selector = nodeSelectorFor(this.props.placement, this.images());
    return Object.keys(selector).length === 0 ? undefined : selector;
  }

  private images(): Image[] {
    return [...this.containers, ...this.initContainers].map(({ image }) => image);
  }

  private renderContainers(containers: ContainerProps[]): k8s.Container[] {
    const { registry } = Cluster.of(this.scope);
    const { exceptions, placement } = this.props;
    return containers.map((container) => {
      const main = this.isMain(container);
      return renderContainer(container, {
        registry,
        env: this.envOf(container),
        mounts: this.mountsOf(container),
        extendedResource: main ? placement.extendedResource : undefined,
        scratch: main ? this.scratch() : [],
        exceptions,
      });
    });
  }

  private renderSecurityContext(volumes: Volume[]): k8s.PodSecurityContext {
    const { user, exceptions } = this.props;
    const asRoot = exceptions.some(({ rule }) => rule === 'runAsNonRoot');
    const owners = volumes.flatMap(({ owner }) => owner ?? []);
    // A pod has one such group; volumes of its own have nobody else's.
    const [owner] = owners.includes('pod') ? [user.gid] : (owners as number[]);
    return {
      runAsNonRoot: !asRoot,
      runAsUser: asRoot ? 0 : user.uid,
      runAsGroup: asRoot ? 0 : user.gid,
      fsGroup: owner,
      // Walking a large volume at every start would take minutes.
      fsGroupChangePolicy: owner === undefined ? undefined : 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    };
  }

  /** Every volume that a container mounts, once. */
  private volumes(): Volume[] {
    return [...new Set(this.allMounts().map(({ volume }) => volume))];
  }

  /** Disk that the pod's scratch volumes can hold: the kubelet counts it against the containers' limits. */
  private scratch(): Size[] {
    return this.volumes().flatMap((volume) => volume.scratchSize ?? []);
  }

  private allMounts(): Mount[] {
    // What prepares for the main container has the volumes of that one.
    const others = this.initContainers.filter(({ name }) => !this.preparations.has(name));
    return [...this.containers, ...others].flatMap((container) => this.mountsOf(container));
  }

  private mountsOf(container: ContainerProps): Mount[] {
    const [mainContainer] = this.containers;
    if (mainContainer !== undefined && this.preparations.has(container.name)) {
      return this.mountsOf(mainContainer);
    }
    const main = mainContainer?.name;
    const added = this.mounts.filter((added) => (added.container ?? main) === container.name);
    const mounts = [...(container.mounts ?? []), ...added.map(({ mount }) => mount)];
    return this.isMain(container)
      ? [...mounts, ...this.secretMounts(), ...this.deliveryMounts(), ...this.providerMounts()]
      : mounts;
  }

  private envOf(container: ContainerProps): { [name: string]: EnvValue } {
    if (this.isMain(container)) {
      return this.deliveredEnv();
    }
    return { ...(this.preparations.has(container.name) ? this.deliveredEnv() : {}), ...container.env };
  }

  /** What the main container is to know, whichever way it gets it. */
  private mainEnv(): { [name: string]: EnvValue } {
    const stated = { ...this.containers[0]?.env, ...Object.fromEntries(this.env) };
    // A variable in env wins.
    const usual = Object.entries({ ...this.props.proxyEnv(), ...this.homeEnv() });
    return { ...stated, ...Object.fromEntries(usual.filter(([name]) => !Object.hasOwn(stated, name))) };
  }

  /**
   * The user of the process is as a rule in no passwd file, so its home would be "/", which cannot be written; torch, nltk
   * and matplotlib among others keep caches there.
   */
  private homeEnv(): { [name: string]: EnvValue } {
    return this.hasTemporaryFiles ? { HOME: EnvValue.of(TEMPORARY_FILES) } : {};
  }

  private get hasTemporaryFiles(): boolean {
    const [main] = this.containers;
    const added = this.mounts.filter(({ container }) => (container ?? main?.name) === main?.name);
    const mounts = [...(main?.mounts ?? []), ...added.map(({ mount }) => mount)];
    return mounts.some(({ path, volume }) => path === TEMPORARY_FILES && volume.scratchSize !== undefined);
  }

  private deliveredEnv(): { [name: string]: EnvValue } {
    const env = this.mainEnv();
    const withheld = this.delivery._withheld(env);
    const kept = Object.entries(env).filter(([name]) => !withheld.includes(name));
    const derived = this.delivery._derived(env).map((variable) => [this.nameOf(variable), variable.value]);
    return Object.fromEntries([...kept, ...derived]);
  }

  /** Whoever renames a variable renames what is derived from it, and may rename that once more. */
  private nameOf({ of, suffix }: DerivedVariable): string {
    return this.props.envNames[`${this.givenName(of)}${suffix}`] ?? `${of}${suffix}`;
  }

  private givenName(name: string): string {
    const { envNames } = this.props;
    return [...this.given].find((given) => (envNames[given] ?? given) === name) ?? name;
  }

  private get delivery(): SecretDelivery {
    return this.props.secretDelivery ?? SecretDelivery.ENV;
  }

  private isMain(container: ContainerProps): boolean {
    return container === this.containers[0];
  }

  /**
   * One volume for each Secret of which files are wanted, in every directory where they are. A directory with files of
   * several Secrets has a volume of its own, unless two of the files would have one name, which is refused.
   */
  private secretMounts(): Mount[] {
    const directories = [...new Set(this.secretFiles.map(({ directory }) => directory))];
    const keysIn = (wanted: string[]) =>
      uniqueKeys(this.secretFiles.filter(({ directory }) => wanted.includes(directory)));
    const mixed = directories.filter((directory) => {
      const keys = keysIn([directory]);
      return secretsOf(keys).length > 1 && new Set(keys.map(({ key }) => key)).size === keys.length;
    });
    const others = directories.filter((directory) => !mixed.includes(directory));
    return [
      ...secretsOf(keysIn(others)).flatMap((secret) => {
        const keys = keysIn(others).filter((key) => key.secret === secret);
        const volume = Volume.secret(volumeNameOf(secret), keys);
        return others
          .filter((directory) => secretsOf(keysIn([directory])).includes(secret))
          .map((path) => ({ volume, path }));
      }),
      ...mixed.map((path) => ({
        volume: Volume.secret(volumeNameOf(path.slice(1), 'secrets-at'), keysIn([path])),
        path,
      })),
    ];
  }

  /** Files in one volume, which therefore change at one time. */
  private deliveryMounts(): Mount[] {
    const files = this.delivery._files(this.mainEnv());
    return Object.keys(files).length === 0
      ? []
      : [{ volume: Volume._secretFiles('delivered-secrets', files), path: this.delivery._directory }];
  }

  /** The kubelet mounts before any container starts, and only what a container mounts: the main one does for all. */
  private providerMounts(): Mount[] {
    return [...this.providerClasses].sort().map((name) => ({
      volume: Volume._secretsStore(volumeNameOf(name, 'secrets-store'), name),
      path: `/mnt/secrets-store/${name}`,
    }));
  }

  /** A name that no provider gives is a mistake: the image would wait for a variable that never comes. */
  private checkEnvNames(): void {
    const derived = this.delivery._derived(this.mainEnv()).map(({ of, suffix }) => `${this.givenName(of)}${suffix}`);
    const names = new Set([...this.given, ...derived]);
    const unused = Object.keys(this.props.envNames).find((name) => !names.has(name));
    if (unused !== undefined) {
      const given = [...names].sort().join(', ') || 'nothing';
      throw new UsageError(`renames a variable that no provider gives; given are ${given}`, {
        scope: this.scope,
        property: `envNames.${unused}`,
      });
    }
  }

  /** What the delivery adds must be new, and what it withholds must be used nowhere else. */
  private checkDelivery(): void {
    const env = this.mainEnv();
    const derived = this.delivery._derived(env);
    const names = [...Object.keys(env), ...derived.map((variable) => this.nameOf(variable))];
    const taken = derived.find(
      (variable) => names.indexOf(this.nameOf(variable)) !== names.lastIndexOf(this.nameOf(variable)),
    );
    if (taken !== undefined) {
      const name = this.nameOf(taken);
      throw new UsageError(
        `is set already, but secretDelivery gives ${taken.of} under this name; drop one, or rename what is given with ` +
          `envNames: { ${this.givenName(taken.of)}${taken.suffix}: … }`,
        { scope: this.scope, property: `env.${name}` },
      );
    }
    const withheld = this.delivery._withheld(env);
    const [{ command = [], args = [] } = {}] = this.containers as [ContainerProps?];
    const used = [...command, ...args].flatMap((word) => EnvValue.template(word).references);
    const missing = used.find((name) => withheld.includes(name));
    if (missing !== undefined) {
      throw new UsageError(
        `refers to $(${missing}), which secretDelivery gives as a file, so the text would stay as it is; read ` +
          'the file, or choose SecretDelivery.BOTH',
        { scope: this.scope, property: 'container.args' },
      );
    }
  }

  private checkUnwantedEnv(): void {
    const set = { ...this.containers[0]?.env, ...Object.fromEntries(this.env) };
    for (const [name, origin] of this.unwanted) {
      if (Object.hasOwn(set, name)) {
        throw new UsageError(
          `is set by ${this.origins.get(name) ?? 'env'}, and ${origin} comes without keys, so that it would be asked with ` +
            'these; give it keys of its own under other names, or have neither use keys',
          { scope: this.scope, property: `env.${name}` },
        );
      }
    }
  }

  private checkVolumes(): void {
    checkUnique(
      this.scope,
      'volume.name',
      this.volumes().map(({ name }) => name),
    );
  }

  private checkMountTargets(): void {
    const names = [...this.containers, ...this.initContainers].map(({ name }) => name);
    const target = this.mounts.find(({ container }) => container !== undefined && !names.includes(container));
    if (target !== undefined) {
      throw new UsageError(
        `has "${target.mount.path}" for "${target.container}", but the containers of the pod are ${names.join(', ')}`,
        { scope: this.scope, property: 'files' },
      );
    }
  }

  private checkOverrides(): void {
    const [first] = this.overrideProblems();
    if (first !== undefined) {
      throw new UsageError(first.problem, { scope: this.scope, property: `podOverrides.${first.property}` });
    }
  }

  private overrideProblems(): { readonly property: string; readonly problem: string }[] {
    const { containers = [], initContainers = [] } = this.props.overrides ?? {};
    const namesOf = (list: ContainerProps[]) => list.map(({ name }) => name);
    return Object.entries({
      containers: overrideProblem('containers', containers, namesOf(this.containers)),
      initContainers: overrideProblem('init containers', initContainers, namesOf(this.initContainers)),
    }).flatMap(([property, problem]) => (problem === undefined ? [] : [{ property, problem }]));
  }

  private checkReferences(env: { readonly [name: string]: EnvValue }): void {
    for (const [name, { references }] of Object.entries(env)) {
      const site = { scope: this.scope, property: `env.${name}` };
      const { [name]: _, ...others } = env;
      refuse(missingReference(references, references.includes(name) ? env : others), site);
      const circular = references.find((reference) => reference === name || reaches(env, reference, name));
      if (circular !== undefined) {
        throw new UsageError(
          `refers to ${circular === name ? 'itself' : `$(${circular}), which refers to it in turn`}, so that the text would ` +
            `stay as it is; refer to other variables, or write $$(${circular}) for the text itself`,
          site,
        );
      }
    }
  }

  /** The kubelet completes commands and arguments like variables, with all variables of their container. */
  private checkWords(container: ContainerProps): void {
    const main = this.isMain(container);
    const env = this.wordsEnvOf(container);
    const words = { command: container.command ?? [], args: container.args ?? [] };
    for (const [property, texts] of Object.entries(words)) {
      for (const [index, text] of texts.entries()) {
        const problem = missingReference(EnvValue.template(text).references, env);
        refuse(problem && (main ? problem : `has the container ${container.name}, whose ${property} ${problem}`), {
          scope: this.scope,
          property: main ? `${property}.${index}` : undefined,
        });
      }
    }
  }

  /** The variables of a container, with those of overrides, and with those that are refused with their delivery. */
  private wordsEnvOf(container: ContainerProps): { [name: string]: EnvValue } {
    const { containers = [], initContainers = [] } = this.props.overrides ?? {};
    const override = [...containers, ...initContainers].find(({ name }) => name === container.name);
    const overridden = (override?.env ?? []).map(({ name }) => [name, EnvValue.of('')]);
    const stated = this.isMain(container) ? this.mainEnv() : {};
    return { ...stated, ...this.envOf(container), ...Object.fromEntries(overridden) };
  }

  private accept(container: ContainerProps): ContainerProps {
    const { name, image, env = {}, mounts = [], ports = [], resources } = container;
    const { scope } = this;
    if ([...this.containers, ...this.initContainers].some((other) => other.name === name)) {
      throw new UsageError(`has two containers named "${name}"; rename one`, { scope });
    }
    checkContainerName(scope, name);
    checkResources(scope, resources);
    if (container.preStopDelay !== undefined) {
      secondsOf(container.preStopDelay, { scope, property: 'container.preStopDelay' }, 0);
    }
    image.in(Cluster.of(scope).registry, scope);
    for (const [property, words] of Object.entries({ command: container.command, args: container.args })) {
      refuse(words?.map(textProblem).find(Boolean), { scope, property });
    }
    for (const [variable, value] of Object.entries(env)) {
      checkEnvName(scope, `env.${variable}`, variable);
      this.bindSecret(value.secretKey);
    }
    this.bindMounted(mounts);
    // What the caller does with the lists afterwards was never checked.
    return { ...container, env: { ...env }, mounts: [...mounts], ports: [...ports] };
  }

  private bindMounted(mounts: Mount[]): void {
    for (const key of mounts.flatMap(({ volume }) => volume.secretKeys)) {
      this.bindSecret(key);
    }
  }

  private bindSecret(key: SecretKey | undefined): void {
    key?._bind(this.scope);
    if (key?._providerClass !== undefined) {
      this.providerClasses.add(key._providerClass);
    }
  }
}

/** Why a text with these references would stay as it is in a container with these variables. */
function missingReference(
  references: readonly string[],
  env: { readonly [name: string]: EnvValue },
): string | undefined {
  const missing = references.find((reference) => reference !== API_SERVER_HOST && !Object.hasOwn(env, reference));
  return missing === undefined
    ? undefined
    : `refers to $(${missing}), which the container does not have, so that the text would stay as it is; refer to one of ` +
        `${Object.keys(env).sort().join(', ') || 'its variables, of which it has none'}, or write $$(${missing}) for the ` +
        'text itself';
}

/** Whether a variable is completed with another, directly or through others. */
function reaches(env: { readonly [name: string]: EnvValue }, from: string, to: string): boolean {
  const reached = new Set([from]);
  // A set is walked with what is added on the way.
  for (const name of reached) {
    for (const reference of env[name]?.references ?? []) {
      reached.add(reference);
    }
  }
  return from !== to && reached.has(to);
}

/** Each key once, however many files are made of it. */
function uniqueKeys(files: { readonly source: SecretKey }[]): SecretKey[] {
  return [...new Map(files.map(({ source }) => [`${source.secret}/${source.key}`, source])).values()];
}

function secretsOf(keys: SecretKey[]): string[] {
  return [...new Set(keys.map(({ secret }) => secret))];
}

/** A name for a volume, after a Secret or a place; what had to change is told apart by a digest. */
function volumeNameOf(subject: string, prefix = 'secret'): string {
  const name = `${prefix}-${subject}`;
  if (dnsLabelProblem(name) === undefined) {
    return name;
  }
  const digest = createHash('sha256').update(subject).digest('hex').slice(0, 8);
  return `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
    .slice(0, 54)}-${digest}`;
}

function checkContainerName(scope: Construct, name: string): void {
  const problem = dnsLabelProblem(name);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property: 'container.name' });
  }
}

/** Largest user and group id that Kubernetes accepts (validation of `runAsUser` and `runAsGroup`). */
const LARGEST_ID = 2 ** 31 - 1;

function checkId(scope: Construct, property: string, id: number, least: number): void {
  if (!Number.isInteger(id) || id < least || id > LARGEST_ID) {
    throw new UsageError(`is ${id}, but must be a whole number from ${least} to ${LARGEST_ID}`, { scope, property });
  }
}

const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

function checkPorts(scope: Construct, ports: Port[]): void {
  checkUnique(
    scope,
    'ports.name',
    ports.map(({ name }) => name),
  );
  checkUnique(
    scope,
    'ports.number',
    ports.map(({ number }) => number),
  );
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

function checkUnique(scope: Construct, property: string, values: (string | number)[]): void {
  const twice = values.find((value, index) => values.findIndex((other) => Object.is(other, value)) !== index);
  if (twice !== undefined) {
    throw new UsageError(`is ${twice} twice; give one of the two another`, { scope, property });
  }
}

function checkMounts(scope: Construct, mounts: Mount[]): void {
  const paths = mounts.map(({ path }) => path);
  const relative = paths.find((path) => !path.startsWith('/'));
  if (relative !== undefined) {
    throw new UsageError(`is "${relative}", but must be absolute`, { scope, property: 'mounts.path' });
  }
  checkUnique(scope, 'mounts.path', paths);
}

/** One checksum over all configuration files that change under one name: when it changes, the pods restart. */
function checksumAnnotations(volumes: Volume[]): { [annotation: string]: string } {
  const files = volumes.flatMap((volume) => volume._configFiles ?? []).filter(({ changesInPlace }) => changesInPlace);
  const checksums = files.map(({ checksum }) => checksum);
  if (checksums.length === 0) {
    return {};
  }
  return { 'checksum/config': createHash('sha256').update(checksums.join()).digest('hex') };
}
