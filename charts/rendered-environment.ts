import { ApiObject, type App } from 'cdk8s';
import { type Pair, stringify } from 'yaml';
import { type ManifestObject, nameOf } from '../constructs/rules/output';
import { GENERATED_MARK } from './output-folder';

/** Fields that a reader looks for first; the others follow in alphabetical order, as the API server sorts them. */
const FIRST_FIELDS = ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'image'];

/** The objects of an app as files, one for each. */
export class RenderedEnvironment {
  /** The objects, in the order in which the app created them. */
  public readonly objects: ManifestObject[];

  /**
   * Renders an app.
   *
   * @param app the app
   * @param origin what it was made from, as messages and files name it
   * @throws when a construct or a rule finds something wrong, with everything that is wrong
   */
  public constructor(
    app: App,
    private readonly origin: string,
  ) {
    const constructs = app.node.findAll();
    const problems = constructs.flatMap((construct) => construct.node.validate());
    if (problems.length > 0) {
      throw new Error(problems.map((problem) => `${origin} ${problem}`).join('\n'));
    }
    this.objects = constructs.filter(ApiObject.isApiObject).map((object) => object.toJson());
    if (this.objects.length === 0) {
      throw new Error(`${origin} renders nothing`);
    }
  }

  /** The files, by name: `<name>.<kind>.yaml`, so that what belongs to one workload stands together. */
  public get files(): Map<string, string> {
    const files = new Map<string, string>();
    for (const object of this.objects) {
      const file = this.fileNameOf(object);
      if (files.has(file)) {
        throw new Error(`${this.origin} two objects are ${nameOf(object)}; give one another name`);
      }
      files.set(file, this.textOf(object));
    }
    return files;
  }

  private fileNameOf(object: ManifestObject): string {
    const { name, namespace } = object.metadata;
    const kind = object.kind.toLowerCase();
    return namespace === undefined || namespace === this.mainNamespace
      ? `${name}.${kind}.yaml`
      : `${name}.${kind}.${namespace}.yaml`;
  }

  /** The namespace that most objects are in; their files need not name it. */
  private get mainNamespace(): string | undefined {
    return this.objects.find((object) => object.metadata.namespace !== undefined)?.metadata.namespace;
  }

  private textOf(object: ManifestObject): string {
    const body = stringify(object, {
      // Readers of YAML 1.1, of which there are many, take "yes" or "0644" for something else than a text.
      version: '1.1',
      lineWidth: 0,
      sortMapEntries: byFirstFields,
    });
    return `${GENERATED_MARK} ${this.origin}. Do not edit.\n${body}`;
  }
}

function byFirstFields(a: Pair, b: Pair): number {
  const [left, right] = [keyOf(a), keyOf(b)];
  return rankOf(left) - rankOf(right) || (left < right ? -1 : 1);
}

function keyOf(pair: Pair): string {
  return String((pair.key as { value?: unknown }).value ?? pair.key);
}

function rankOf(field: string): number {
  const rank = FIRST_FIELDS.indexOf(field);
  return rank === -1 ? FIRST_FIELDS.length : rank;
}
