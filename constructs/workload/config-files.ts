import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { UsageError } from '../rules/usage-error';

/** Files that the containers of a workload find at fixed places. */
export interface ConfigFilesProps {
  /** Metadata of the ConfigMap. */
  readonly metadata: k8s.ObjectMeta;

  /** Content by absolute path in the container; the last parts of the paths must differ. */
  readonly files: { readonly [path: string]: string };
}

/** Configuration files of a workload, in a ConfigMap. */
export class ConfigFiles extends Construct {
  /** The ConfigMap; its keys are the names of the files. */
  public readonly configMap: k8s.KubeConfigMap;
  /** Name of the ConfigMap. */
  public readonly name: string;
  /** Absolute paths of the files. */
  public readonly paths: string[];
  /** Changes when, and only when, the content changes; pods that carry it restart then. */
  public readonly checksum: string;

  public constructor(scope: Construct, id: string, props: ConfigFilesProps) {
    super(scope, id);
    this.paths = Object.keys(props.files).sort();
    this.checkPaths();
    const data = Object.fromEntries(this.paths.map((path) => [posix.basename(path), props.files[path] as string]));
    this.configMap = new k8s.KubeConfigMap(this, 'Resource', { metadata: props.metadata, data });
    this.name = this.configMap.name;
    this.checksum = createHash('sha256').update(JSON.stringify(data)).digest('hex');
  }

  private checkPaths(): void {
    const names = this.paths.map((path) => posix.basename(path));
    const wrong = this.paths.find((path) => !posix.isAbsolute(path));
    if (wrong !== undefined) {
      throw new UsageError(`has the path "${wrong}"; paths are absolute`, { scope: this, property: 'files' });
    }
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new UsageError(`has two files named "${twice}"; rename one`, { scope: this, property: 'files' });
    }
  }
}
