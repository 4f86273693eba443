import { ApiObject, type App } from 'cdk8s';
import { ChangeRules } from '../constructs/rules/change-rules';
import { type ExternalReference, ExternalReferences } from '../constructs/rules/external-references';
import { LateChecks } from '../constructs/rules/late-checks';
import { type Json, type ManifestObject, nameOf } from '../constructs/rules/output';
import { OutputRules } from '../constructs/rules/output-rules';
import type { UsageError } from '../constructs/rules/usage-error';
import { malformedTexts } from '../constructs/rules/well-formed-text';
import { manifestText } from './manifest-text';
import { GENERATED_MARK, type Rendered } from './output-folder';

/** Why an app is not rendered: everything that its constructs and rules find wrong. */
export class RenderError extends Error {
  public constructor(
    /** What the app was made from. */
    origin: string,
    /** What is wrong. */
    public readonly problems: string[],
    /** Those of the problems that are misuse of a construct; the problem is the message. */
    public readonly mistakes: UsageError[] = [],
  ) {
    super(problems.map((problem) => `${origin} ${problem}`).join('\n'));
    this.name = 'RenderError';
  }
}

/** The objects of an app as files, one for each; an {@link OutputFolder} writes them. */
export class RenderedEnvironment implements Rendered {
  /** The objects, in the order in which the app created them. */
  public readonly objects: ManifestObject[];

  /** The objects by the names of their files. */
  private readonly named = new Map<string, ManifestObject>();
  private texts?: ReadonlyMap<string, string>;
  /** The namespace that most objects are in; their files need not name it. */
  private readonly mainNamespace: string | undefined;

  /**
   * Renders an app.
   *
   * @param app the app
   * @param origin what it was made from, as messages and files name it
   * @throws {@link RenderError} when a construct or a rule finds something wrong, with everything that is wrong
   */
  public constructor(
    private readonly app: App,
    private readonly origin: string,
  ) {
    const constructs = app.node.findAll();
    const problems = constructs.flatMap((construct) => construct.node.validate());
    if (problems.length > 0) {
      throw new RenderError(origin, problems, LateChecks.of(app).mistakes);
    }
    const judged = OutputRules.judged(app);
    this.objects = constructs.filter(ApiObject.isApiObject).map((object) => judged.get(object) ?? object.toJson());
    if (this.objects.length === 0) {
      throw new Error(`${origin} renders nothing`);
    }
    // Objects that are not of this library are under no rule, but they are written to files as well.
    const malformed = this.objects.flatMap(malformedTexts);
    if (malformed.length > 0) {
      throw new RenderError(origin, malformed);
    }
    this.mainNamespace = mostFrequent(this.objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    for (const object of this.objects) {
      this.name(object);
    }
  }

  /** The files, by name: `<name>.<kind>.yaml`, so that what belongs to one workload stands together. */
  public get files(): ReadonlyMap<string, string> {
    this.texts ??= new Map([...this.named].map(([file, object]) => [file, this.textOf(object)]));
    return this.texts;
  }

  public objectIn(file: string): ManifestObject | undefined {
    return this.named.get(file);
  }

  /**
   * The images that the objects name, sorted, each once: those of pods, and those that operators are told to run. What an
   * operator runs beside them by itself is known to it alone.
   */
  public get images(): string[] {
    return [...new Set(this.objects.flatMap(({ spec }) => imagesIn(spec)))].sort();
  }

  /** What the app refers to and these objects do not contain: somebody else puts it into the cluster. */
  public get references(): ExternalReference[] {
    const own = new Set(this.objects.map(nameOf));
    return ExternalReferences.of(this.app).all.filter(
      ({ kind, namespace, name }) => !own.has(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`),
    );
  }

  /**
   * What cannot be applied, or would lose data, where these objects run; empty when the step is safe.
   *
   * @param before the objects of the last render
   */
  public changeProblems(before: readonly ManifestObject[]): string[] {
    const problems = ChangeRules.of(this.app).check(before, this.objects);
    return problems.map((problem) => `${this.origin} ${problem}`);
  }

  /**
   * What it costs to apply these objects where the last render was applied; empty when it costs nothing.
   *
   * @param before the objects of the last render
   */
  public changeWarnings(before: readonly ManifestObject[]): string[] {
    return ChangeRules.of(this.app)
      .warn(before, this.objects)
      .map((warning) => `${this.origin} ${warning}`);
  }

  private name(object: ManifestObject): void {
    const file = this.fileNameOf(object);
    if (this.named.has(file)) {
      throw new Error(`${this.origin} two objects are ${nameOf(object)}; give one another name`);
    }
    this.named.set(file, object);
  }

  private fileNameOf(object: ManifestObject): string {
    const { name, namespace } = object.metadata;
    const alike = this.objects.filter((other) => nameOf(other) === nameOf(object));
    const groups = new Set(alike.map(groupOf));
    const parts = [
      name,
      object.kind.toLowerCase(),
      groups.size > 1 ? groupOf(object) : undefined,
      namespace === this.mainNamespace ? undefined : namespace,
      'yaml',
    ];
    return parts.filter((part) => part !== undefined).join('.');
  }

  private textOf(object: ManifestObject): string {
    // A line break in it would end the comment.
    const origin = this.origin.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
    return `${GENERATED_MARK} ${origin}. Do not edit.\n${manifestText(object)}`;
  }
}

/** Fields that name an image, those of pods and those of custom resources. */
const IMAGE_FIELDS = ['image', 'imageName'];

function imagesIn(value: Json): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([field, child]) =>
    typeof child === 'string' && IMAGE_FIELDS.includes(field) ? [child] : imagesIn(child),
  );
}

/** The API group of an object; the core group has no name and is left out of file names. */
function groupOf({ apiVersion }: ManifestObject): string | undefined {
  return apiVersion.includes('/') ? apiVersion.split('/')[0] : undefined;
}

/** The value that occurs most often, and the first of several. */
function mostFrequent(values: string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].reduce<[string, number] | undefined>(
    (most, entry) => (most && most[1] >= entry[1] ? most : entry),
    undefined,
  )?.[0];
}
