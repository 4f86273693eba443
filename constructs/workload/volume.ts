import type { Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { dnsLabelProblem } from '../rules/object-name';
import { sizeQuantity } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import type { ConfigFiles } from './config-files';
import { SharedVolume } from './shared-volume';

type VolumeSource = Omit<k8s.Volume, 'name'>;

/** A volume of a pod. */
export class Volume {
  /** Empty space on the node's disk that goes with the pod. The pod is evicted when it holds more than `size`. */
  public static scratch(name: string, size: Size): Volume {
    return new Volume(name, { emptyDir: { sizeLimit: sizeQuantity(size) } }, { scratch: size });
  }

  /**
   * Empty space on a block volume of its own that comes and goes with the pod; stable since Kubernetes 1.23. It is
   * there until the pod is deleted, which is some time after it has ended.
   *
   * @param storageClass class of the volume, whose reclaimPolicy must be Delete; without it the cluster's default
   */
  public static ephemeral(name: string, size: Size, storageClass?: string): Volume {
    const spec = {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: sizeQuantity(size) } },
      storageClassName: storageClass,
      volumeMode: 'Filesystem',
    };
    return new Volume(name, { ephemeral: { volumeClaimTemplate: { spec } } }, { owner: 'pod' });
  }

  /** Empty space in memory that goes with the pod; it counts against the memory limit of who writes to it. */
  public static memory(name: string, size: Size): Volume {
    return new Volume(name, { emptyDir: { medium: 'Memory', sizeLimit: sizeQuantity(size) } });
  }

  /**
   * Configuration files; pods restart when their content changes.
   * @internal
   */
  public static _config(name: string, files: ConfigFiles): Volume {
    return new Volume(name, () => ({ configMap: { name: files.name } }), { config: files });
  }

  /** Keys of one or more Secrets as files; each file is named like its key. */
  public static secret(name: string, keys: SecretKey[]): Volume {
    const names = keys.map(({ key }) => key);
    const twice = names.find((key, index) => names.indexOf(key) !== index);
    if (keys.length === 0 || twice !== undefined) {
      throw new UsageError(
        twice === undefined
          ? 'has no keys; name at least one'
          : `has "${twice}" twice, and files are named like the keys; put one into another volume`,
        { property: `volume ${name}` },
      );
    }
    const [secret, ...others] = new Set(keys.map((key) => key.secret));
    if (others.length > 0) {
      return Volume._secretFiles(name, Object.fromEntries(keys.map((key) => [key.key, key])));
    }
    const items = keys.map(({ key }) => ({ key, path: key }));
    return new Volume(name, { secret: { secretName: secret, items } }, { secretKeys: keys });
  }

  /**
   * Keys of one or more Secrets as files of these names.
   * @internal
   */
  public static _secretFiles(name: string, files: { readonly [file: string]: SecretKey }): Volume {
    // Sorted, so that the order of what the files are for changes no pod.
    const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
    const secrets = [...new Set(sorted.map(([, { secret }]) => secret))].sort();
    const sources = secrets.map((secret) => ({
      secret: {
        name: secret,
        items: sorted.filter(([, key]) => key.secret === secret).map(([path, { key }]) => ({ key, path })),
      },
    }));
    return new Volume(name, { projected: { sources } }, { secretKeys: sorted.map(([, key]) => key) });
  }

  /**
   * What a SecretProviderClass fetches; while a pod mounts it, the Secret of the class exists.
   * @internal
   */
  public static _secretsStore(name: string, secretProviderClass: string): Volume {
    const csi = { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes: { secretProviderClass } };
    return new Volume(name, { csi }, { fixed: true });
  }

  /**
   * A token of the API server for the pod's ServiceAccount, with what a client needs besides: the authority and the
   * namespace. The names are those that the kubelet itself would use.
   * @internal
   */
  public static _apiToken(name: string, authority: { readonly name: string; readonly key: string }): Volume {
    const sources: k8s.VolumeProjection[] = [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
      { configMap: { name: authority.name, items: [{ key: authority.key, path: 'ca.crt' }] } },
      {
        downwardApi: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ];
    return new Volume(name, { projected: { sources } }, { fixed: true });
  }

  /** The volume that a claim template of the same name gives to each pod of a StatefulSet. */
  public static claim(name: string): Volume {
    return new Volume(name, undefined, { owner: 'pod' });
  }

  /** A volume that pods on several nodes mount at once and write to, as {@link SharedVolume.GROUP}. */
  public static shared(name: string, volume: SharedVolume): Volume {
    return new Volume(name, { persistentVolumeClaim: { claimName: volume.name } }, { owner: SharedVolume.GROUP });
  }

  /** The same for pods that only read: their files belong to whom they belong, and must be readable for all. */
  public static sharedReadOnly(name: string, volume: SharedVolume): Volume {
    return new Volume(name, { persistentVolumeClaim: { claimName: volume.name, readOnly: true } });
  }

  private constructor(
    /** Name of the volume in its pod. */
    public readonly name: string,
    private readonly source: VolumeSource | (() => VolumeSource) | undefined,
    private readonly details: {
      readonly scratch?: Size;
      readonly config?: ConfigFiles;
      readonly secretKeys?: SecretKey[];
      readonly fixed?: boolean;
      readonly owner?: 'pod' | number;
    } = {},
  ) {
    const problem = dnsLabelProblem(name);
    if (problem !== undefined) {
      throw new UsageError(problem, { property: 'volume.name' });
    }
  }

  /** Size on the node's disk, when the volume is scratch space there. */
  public get scratchSize(): Size | undefined {
    return this.details.scratch;
  }

  /**
   * The configuration files in the volume.
   * @internal
   */
  public get _configFiles(): ConfigFiles | undefined {
    return this.details.config;
  }

  /** The Secret keys in the volume. */
  public get secretKeys(): SecretKey[] {
    return this.details.secretKeys ?? [];
  }

  /** Whether nothing can be written to the volume. */
  public get fixed(): boolean {
    const { config, fixed = false } = this.details;
    return fixed || config !== undefined || this.secretKeys.length > 0;
  }

  /** Group through which containers reach the files: that of the pod, or one of all pods that share them. */
  public get owner(): 'pod' | number | undefined {
    return this.details.owner;
  }

  /**
   * The volume in a pod; none for a claim, which the StatefulSet controller adds.
   * @internal
   */
  public _render(): k8s.Volume[] {
    const source = typeof this.source === 'function' ? this.source() : this.source;
    return source === undefined ? [] : [{ name: this.name, ...source }];
  }
}

/** Where a container finds a volume. */
export interface Mount {
  /** The volume. */
  readonly volume: Volume;

  /** Absolute path in the container. */
  readonly path: string;

  /**
   * One file or folder of the volume instead of the whole.
   * @default - the whole volume
   */
  readonly subPath?: string;

  /**
   * Whether the container can only read.
   * @default - true for configuration and Secrets, false for all else
   */
  readonly readOnly?: boolean;
}
