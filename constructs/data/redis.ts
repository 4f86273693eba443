import { Duration, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { type IBacklog, ScalingTrigger } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import type { MainContainerProps } from '../workload/container';
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

/** What a Redis is for; the two need opposite settings and are never one instance. */
export enum RedisRole {
  /** Queue of tasks: written to disk, nothing is ever evicted. */
  BROKER = 'broker',
}

/** A Redis. */
export interface RedisProps extends WorkloadOptions {
  /**
   * What it is for.
   * @default RedisRole.BROKER
   */
  readonly role?: RedisRole;

  /** Password of the default user. In URLs it must need no escaping: letters, digits, `-` and `_`. */
  readonly password: SecretKey;

  /**
   * What it asks for; three quarters of the memory, which is at least 64 MiB, hold data, the rest is for copies
   * while it saves.
   * @default - 100m CPU and 512 MiB
   */
  readonly resources?: Resources;

  /**
   * Volume for the append-only file, at least twice the memory for data.
   * @default Size.gibibytes(4)
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

/** Share of the memory for data; the rest is for the copies that a fork makes while it saves. */
const DATA_SHARE = 0.75;

const DEFAULT_STORAGE = Size.gibibytes(4);
const LEAST_MEMORY = Size.mebibytes(64);

/**
 * A single Redis with a password and a volume. It is down while its node is replaced; tasks wait at their
 * senders until it is back.
 *
 * Source: docker-library/redis; Redis docs, "Persistence", "ACL"; Celery docs, "Using Redis".
 */
export class Redis extends Construct implements IQueue {
  /** The StatefulSet and what belongs to it. */
  public readonly workload: StatefulSet;
  /** Service for clients. */
  public readonly service: k8s.KubeService;

  private readonly props: RedisProps;
  private readonly resources: Resources;

  public constructor(scope: Construct, id: string, props: RedisProps) {
    super(scope, id);
    this.props = props;
    this.resources = props.resources ?? { cpu: Cpu.millis(100), memory: Size.mebibytes(512) };
    this.checkSizes();
    this.workload = this.createStatefulSet();
    this.workload.addConfigFiles({
      [CONFIG]: this.config(),
      [START]: scriptFile(__dirname, 'redis-start.sh'),
    });
    this.service = this.workload.addService({ ports: [PORT] });
  }

  public offerTo(client: IClient): Offer {
    const endpoint = this.workload.endpoint(PORT);
    const host = endpoint.hostFrom(client, client.namespace);
    return {
      endpoints: [endpoint],
      env: {
        REDIS_PASSWORD: EnvValue.fromSecret(this.props.password),
        // The name that Celery reads by itself.
        CELERY_BROKER_URL: EnvValue.template(`redis://:$(REDIS_PASSWORD)@${host}:${PORT.number}/0`),
      },
    };
  }

  /**
   * A list that fills when workers are behind: `celery` is the queue that Celery uses unless told otherwise.
   * Tasks that a worker has taken are no longer in it.
   */
  public list(name: string): IBacklog {
    const { password } = this.props;
    const endpoint = this.workload.endpoint(PORT);
    return { trigger: (perReplica) => ScalingTrigger.redisList({ endpoint, list: name, perReplica, password }) };
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
      component: this.props.role ?? RedisRole.BROKER,
      container: this.container(),
      user: { uid: 999, gid: 1000 },
      replicas: 1,
      serviceName: this.props.name ?? this.node.id,
      claims: [{ name: 'data', size: storage, storageClass }],
      gracePeriod: Duration.minutes(1),
    });
  }

  private container(): MainContainerProps {
    // redis-cli succeeds on error replies as well, so the answer is compared.
    const ping = Probe.exec(['sh', '-c', 'test "$(redis-cli ping)" = PONG'], { timeout: Duration.seconds(5) });
    return {
      image: this.props.image ?? DefaultImages.REDIS,
      command: ['sh', START],
      env: {
        REDISCLI_AUTH: EnvValue.fromSecret(this.props.password),
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
        { volume: Volume.claim('data'), path: '/data' },
        { volume: Volume.memory('run', Size.mebibytes(1)), path: '/run/redis' },
      ],
    };
  }

  private config(): string {
    const maxmemory = Math.floor(kibibytesOf(this.resources.memory) * 1024 * DATA_SHARE);
    return [
      'dir /data',
      `aclfile ${ACL_FILE}`,
      // A broker that forgets a task has lost it.
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      `maxmemory ${maxmemory}`,
      'maxmemory-policy noeviction',
      '',
    ].join('\n');
  }
}
