import { App } from 'cdk8s';
import type { z } from 'zod';
import { similarTo } from '../../constructs/rules/similar';
import { UsageError } from '../../constructs/rules/usage-error';
import { settingOf } from '../described-by';
import { RagPlatform, type RagPlatformProps } from '../rag-platform';
import { RenderError, RenderedEnvironment } from '../rendered-environment';
import { EnvironmentError, EnvironmentFile, type ValuePath } from './environment-file';
import { allowedKeys } from './environment-json-schema';
import { environmentSchema, secretSourceOf } from './environment-schema';
import { shown } from './environment-values';

type Issue = z.core.$ZodIssue;

/** An environment file, checked, with its defaults filled in. */
export class Environment {
  /**
   * Reads an environment file and what it extends.
   *
   * @param path path of the file; its name without extension is the name of the environment
   * @throws {@link EnvironmentError} with every mistake in the files, each at its line
   */
  public static read(path: string): Environment {
    const file = EnvironmentFile.read(path);
    const content = file.value;
    const parsed = environmentSchema(secretSourceOf(content)).safeParse(content, { reportInput: true });
    if (!parsed.success) {
      throw new EnvironmentError(parsed.error.issues.flatMap((issue) => describe(file, issue)));
    }
    return new Environment(EnvironmentFile.environmentOf(path), file, parsed.data);
  }

  private constructor(
    /** Name of the environment: `production`. */
    public readonly name: string,
    private readonly file: EnvironmentFile,
    /** What the file says. */
    public readonly platform: RagPlatformProps,
  ) {}

  /**
   * Renders the platform that the file describes; what the constructs refuse is reported at its line.
   *
   * @param origin the file, as the rendered files name it
   * @param extend adds to the platform what the file cannot say; what is refused there is no mistake of the file
   */
  public render(origin: string, extend?: (platform: RagPlatform) => void): RenderedEnvironment {
    const app = new App();
    const platform = this.createPlatform(app);
    const described = new Set(platform.node.findAll().map(({ node }) => node.path));
    extend?.(platform);
    try {
      return new RenderedEnvironment(app, origin);
    } catch (error) {
      throw error instanceof RenderError ? this.located(error, origin, described) : error;
    }
  }

  private createPlatform(app: App): RagPlatform {
    try {
      return new RagPlatform(app, this.platform.name ?? 'rag', this.platform);
    } catch (error) {
      throw error instanceof UsageError ? new EnvironmentError([this.locate(error)]) : error;
    }
  }

  /** The same problems, each at its line where a construct that the file describes is misused. */
  private located({ problems, mistakes }: RenderError, origin: string, described: ReadonlySet<string>): Error {
    const places = new Map(
      mistakes
        .filter(({ constructPath }) => described.has(constructPath))
        .map((mistake) => [mistake.message, this.locate(mistake)]),
    );
    return new EnvironmentError(problems.map((problem) => places.get(problem) ?? `${origin} ${problem}`));
  }

  /** Where the setting stands that describes what is misused. */
  private locate({ constructPath, property, problem }: UsageError): string {
    const [, part] = constructPath.split('/');
    const setting = part === undefined ? '' : settingOf(part);
    const path = `${setting}.${property}`.split('.').filter((step) => step !== '');
    return `${this.file.locate(path)} ${path.join('.')}: ${problem}`;
  }
}

function describe(file: EnvironmentFile, issue: Issue, above: ValuePath = []): string[] {
  const path = [...above, ...issue.path] as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => problem(file, [...path, key], `is not a setting${suggestion(path, key)}`));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => problem(file, path, message));
  }
  if (issue.code === 'invalid_union') {
    // The form that was meant is the one of which something could be read.
    const meant = issue.errors.find((issues) => issues.some(isInside));
    if (meant !== undefined) {
      return meant.flatMap((inner) => describe(file, inner, path));
    }
  }
  return [problem(file, path, messageOf(issue))];
}

/** Whether an issue is about something in the value, and not about its form. */
function isInside({ code, path }: Issue): boolean {
  return path.length > 0 || code === 'unrecognized_keys';
}

function problem(file: EnvironmentFile, path: ValuePath, message: string): string {
  const at = file.locate(path);
  return path.length === 0 ? `${at} ${message}` : `${at} ${path.join('.')}: ${message}`;
}

function messageOf(issue: Issue): string {
  // zod's own messages begin so; every other is ours.
  if (!/^(Invalid|Too|Unrecognized) /.test(issue.message)) {
    return issue.message;
  }
  const input = shown(issue.input);
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `is ${typed(issue)}, but must be ${EXPECTED[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return issue.input === undefined
        ? `is missing; must be one of ${issue.values.join(', ')}`
        : `is ${input}, but must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `is ${input}, but must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `is ${input}, but must be at most ${issue.maximum}`;
    default:
      return `is ${input}, which is not allowed here`;
  }
}

/** What stands where something else was expected. In place of a map or list it is not repeated: it may be a secret. */
function typed({ expected, input }: Issue & { readonly code: 'invalid_type' }): string {
  const scalar = !['object', 'record', 'array'].includes(expected);
  return scalar || typeof input === 'object' ? shown(input) : `a ${typeof input === 'string' ? 'text' : typeof input}`;
}

const EXPECTED: { readonly [type: string]: string } = {
  string: 'a text; put it in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of settings',
  record: 'a map of names and values',
  array: 'a list',
};

/** The key that was probably meant, and otherwise those that there are. */
function suggestion(path: ValuePath, key: string): string {
  const allowed = allowedKeys(path);
  if (allowed.length === 0) {
    return '; remove it';
  }
  const meant = similarTo(key, allowed);
  return meant === undefined ? `; the settings here are ${allowed.join(', ')}` : `; did you mean ${meant}?`;
}
