import { Duration, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import type { MainContainerProps } from '../workload/container';
import { Deployment } from '../workload/deployment';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import { Probe } from '../workload/probe';
import type { IClient, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { scriptFile } from '../workload/script-file';
import { StatefulSet } from '../workload/stateful-set';
import { Volume } from '../workload/volume';
import type { WorkloadOptions } from '../workload/workload';
import type { IQueue } from './queue';
import { RedisAccess } from './redis-access';
import { RedisRole } from './redis-role';

/** A Redis. */
export interface RedisProps extends WorkloadOptions {
  /**
   * What it is for.
   * @default RedisRole.BROKER
   */
  readonly role?: RedisRole;

  /**
   * Password of the default user, which External Secrets may give any characters; from other sources letters, digits, `-`
   * and `_`, because it stands in a URL.
   */
  readonly password: SecretKey;

  /**
   * Password of the user `keda`, who can count what is in a list and do nothing else. With it the KEDA operator is that
   * user. Of a broker only.
   * @default - KEDA is the default user
   */
  readonly kedaPassword?: SecretKey;

  /**
   * Beginning of the names of its variables, for clients of two in one role: `SESSIONS` gives `SESSIONS_URL` and
   * `SESSIONS_PASSWORD`.
   * @default - `CELERY_BROKER_URL` and `REDIS_PASSWORD` of a broker, `CACHE_URL` and `CACHE_PASSWORD` of a cache
   */
  readonly envPrefix?: string;

  /**
   * What it asks for; three quarters of the memory, which is at least 64 MiB, hold data, the rest is for copies
   * while it saves.
   * @default - 100m CPU and 512 MiB
   */
  readonly resources?: Resources;

  /**
   * Volume for the append-only file of a broker, at least twice the memory for data.
   * @default - 4 GiB of a broker; a cache has none
   */
  readonly storage?: Size;

  /**
   * Storage class of the volume.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * What runs.
   * @default DefaultImages.REDIS
   */
  readonly image?: Image;
}

const PORT: Port = { name: 'redis', number: 6379, appProtocol: 'redis' };
const CONFIG = '/etc/redis/redis.conf';
const START = '/etc/redis/redis-start.sh';
const ACL_FILE = '/run/redis/users.acl';

/** Who counts lists for KEDA; the script that starts Redis knows the name too. */
const KEDA_USER = 'keda';

/** A broker that forgets a task has lost it; a cache that keeps everything is full one day and takes no more. */
const SETTINGS: { readonly [role in RedisRole]: string[] } = {
  [RedisRole.BROKER]: ['maxmemory-policy noeviction', 'dir /data', 'appendonly yes', 'appendfsync everysec'],
  [RedisRole.CACHE]: ['maxmemory-policy allkeys-lru', 'dir /run/redis', 'appendonly no'],
};

/** Share of the memory for data; the rest is for the copies that a fork makes while it saves. */
const DATA_SHARE = 0.75;

/** The image's own user. */
const USER = { uid: 999, gid: 1000 };

/** Time to write what is in memory. */
const GRACE_PERIOD = Duration.minutes(1);

const DEFAULT_STORAGE = Size.gibibytes(4);
const LEAST_MEMORY = Size.mebibytes(64);

/**
 * A single Redis with a password, and as a broker with a volume. A broker is down while its node is replaced, or the zone of
 * its volume is lost; tasks wait at their senders until it is back. A cache moves to another node and is empty there.
 *
 * Source: docker-library/redis; Redis docs, "Persistence", "ACL"; Celery docs, "Using Redis".
 */
export class Redis extends Construct implements IQueue {
  /**
   * The pod and what belongs to it: a StatefulSet with the volume of a broker, a Deployment of a cache. A cache has
   * nothing that two pods could damage, so its successor need not wait for word from a node that is unreachable.
   */
  public readonly workload: StatefulSet | Deployment;
  /** Service for clients. */
  public readonly service: k8s.KubeService;

  private readonly props: RedisProps;
  private readonly role: RedisRole;
  private readonly resources: Resources;
  private readonly access: RedisAccess;

  public constructor(scope: Construct, id: string, props: RedisProps) {
    super(scope, id);
    this.props = props;
    this.role = props.role ?? RedisRole.BROKER;
    this.resources = props.resources ?? { cpu: Cpu.millis(100), memory: Size.mebibytes(512) };
    this.checkRole();
    this.checkSizes();
    this.workload = this.role === RedisRole.CACHE ? this.createDeployment() : this.createStatefulSet();
    this.workload.addConfigFiles({
      [CONFIG]: this.config(),
      [START]: scriptFile(__dirname, 'redis-start.sh'),
    });
    this.service = this.workload.addService({ ports: [PORT] });
    this.access = this.createAccess();
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  /**
   * A list that fills when workers are behind: `celery` is the queue that Celery uses unless told otherwise.
   * Tasks that a worker has taken are no longer in it. A cache has none: it would lose them.
   */
  public list(name?: string): IBacklog {
    return this.access.list(name);
  }

  private createAccess(): RedisAccess {
    const { password, kedaPassword, envPrefix } = this.props;
    return new RedisAccess({
      endpoint: this.workload.endpoint(PORT),
      role: this.role,
      client: { password },
      keda: kedaPassword === undefined ? undefined : { user: KEDA_USER, password: kedaPassword },
      envPrefix,
      site: { scope: this },
    });
  }

  /** What a cache has no use for would only look as if it kept something. */
  private checkRole(): void {
    const { storage, storageClass, kedaPassword } = this.props;
    const given = Object.entries({ storage, storageClass, kedaPassword }).find(([, value]) => value !== undefined);
    if (this.role === RedisRole.CACHE && given !== undefined) {
      throw new UsageError('is given, but a cache has neither a volume nor queues; leave it out', {
        scope: this,
        property: given[0],
      });
    }
  }

  /** A rewrite of the append-only file needs room for the old and the new one at once. */
  private checkSizes(): void {
    const { storage = DEFAULT_STORAGE } = this.props;
    const { memory } = this.resources;
    if (kibibytesOf(memory) < kibibytesOf(LEAST_MEMORY)) {
      throw new UsageError(`is ${sizeText(memory)}, but the process alone needs ${sizeText(LEAST_MEMORY)}; raise it`, {
        scope: this,
        property: 'resources.memory',
      });
    }
    if (this.role === RedisRole.CACHE) {
      return;
    }
    const least = Size.kibibytes(Math.ceil(kibibytesOf(memory) * DATA_SHARE * 2));
    if (kibibytesOf(storage) < kibibytesOf(least)) {
      throw new UsageError(
        `is ${sizeText(storage)}, but must be at least ${sizeText(least)}, twice the memory for data; raise it, or lower resources.memory`,
        { scope: this, property: 'storage' },
      );
    }
  }

  private createStatefulSet(): StatefulSet {
    const { storage = DEFAULT_STORAGE, storageClass } = this.props;
    return new StatefulSet(this, 'Resource', {
      ...this.props,
      component: this.role,
      container: this.container(),
      user: USER,
      replicas: 1,
      serviceName: this.props.name ?? this.node.id,
      claims: [{ name: 'data', size: storage, storageClass }],
      gracePeriod: GRACE_PERIOD,
    });
  }

  private createDeployment(): Deployment {
    return new Deployment(this, 'Resource', {
      ...this.props,
      component: this.role,
      container: this.container(),
      user: USER,
      gracePeriod: GRACE_PERIOD,
    });
  }

  private container(): MainContainerProps {
    // redis-cli succeeds on error replies as well, so the answer is compared.
    const { kedaPassword } = this.props;
    const ping = Probe.exec(['sh', '-c', 'test "$(redis-cli ping)" = PONG'], { timeout: Duration.seconds(5) });
    return {
      image: this.props.image ?? DefaultImages.REDIS,
      command: ['sh', START],
      env: {
        REDISCLI_AUTH: EnvValue.fromSecret(this.props.password),
        ...(kedaPassword === undefined ? {} : { REDIS_KEDA_PASSWORD: EnvValue.fromSecret(kedaPassword) }),
        REDIS_CONFIG: EnvValue.of(CONFIG),
        REDIS_ACL_FILE: EnvValue.of(ACL_FILE),
      },
      ports: [PORT],
      resources: this.resources,
      // While it reads the append-only file it answers LOADING.
      startup: ping.within(Duration.minutes(5)),
      readiness: ping,
      // A Redis that cannot write, with a full disk, answers PING with an error, and reads all the same.
      liveness: Probe.tcp(PORT, { failures: 6 }),
      mounts: [
        ...(this.role === RedisRole.CACHE ? [] : [{ volume: Volume.claim('data'), path: '/data' }]),
        { volume: Volume.memory('run', Size.mebibytes(1)), path: '/run/redis' },
      ],
    };
  }

  private config(): string {
    const maxmemory = Math.floor(kibibytesOf(this.resources.memory) * 1024 * DATA_SHARE);
    return [`aclfile ${ACL_FILE}`, 'save ""', `maxmemory ${maxmemory}`, ...SETTINGS[this.role], ''].join('\n');
  }
}
