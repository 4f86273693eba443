import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { shownSafely } from '../../constructs/rules/credential-forms';
import { dnsLabelProblem } from '../../constructs/rules/object-name';

/** Path of a value in a file: keys and positions in lists. */
export type ValuePath = readonly (string | number)[];

/** Something wrong in environment files; each problem begins with its place, `file:line:column`. */
export class EnvironmentError extends Error {
  /** What is wrong, place by place. */
  public readonly problems: string[];

  public constructor(problems: string[]) {
    // Whatever stands in the wrong place may be the secret itself.
    const safe = problems.map(shownSafely);
    super(safe.join('\n'));
    this.name = 'EnvironmentError';
    this.problems = safe;
  }
}

interface Layer {
  readonly path: string;
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

const EXTENDS = 'extends';

/**
 * An environment file with the files that it extends. Maps are merged key by key; lists and single values
 * replace those of the extended file, and `null` removes them. Every value knows the line it came from.
 */
export class EnvironmentFile {
  /** Reads a file, whose name is that of a folder and of an Argo CD application too, and what it extends. */
  public static read(path: string): EnvironmentFile {
    const file = new EnvironmentFile(readLayers(resolve(path), []));
    const problem = dnsLabelProblem(EnvironmentFile.environmentOf(path));
    if (problem !== undefined) {
      throw new EnvironmentError([`${file.name} its name without extension ${problem}`]);
    }
    return file;
  }

  /** Name of the environment that a file describes. */
  public static environmentOf(path: string): string {
    return basename(path).replace(/\.ya?ml$/, '');
  }

  private constructor(private readonly layers: Layer[]) {}

  /** The merged content. */
  public get value(): unknown {
    return withoutNulls(
      this.layers.map((layer): unknown => contentOf(layer)).reduceRight((base, overlay) => merge(base, overlay)),
    );
  }

  /** Name of the file, as messages give it. */
  public get name(): string {
    return this.layers[0]?.file ?? '';
  }

  /** Where a value stands, or the nearest value above it that is written down: `file:line:column`. */
  public locate(path: ValuePath): string {
    const layers = this.layersOf(path);
    for (let length = path.length; length > 0; length -= 1) {
      const layer = layers.find(({ document }) => offsetOf(document, path.slice(0, length)) !== undefined);
      if (layer !== undefined) {
        return placeOf(layer, path.slice(0, length));
      }
    }
    return this.layers[0] === undefined ? '' : placeOf(this.layers[0], []);
  }

  /** The files that say something about a value: a list or a single value in one hides those below. */
  private layersOf(path: ValuePath): Layer[] {
    for (let length = 1; length < path.length; length += 1) {
      const layer = this.layers.find(({ document }) => document.hasIn(path.slice(0, length)));
      if (layer !== undefined && !isMap(layer.document.getIn(path.slice(0, length), true))) {
        return [layer];
      }
    }
    return this.layers;
  }
}

function readLayers(path: string, extending: Layer[]): Layer[] {
  const layer = readLayer(path);
  const base = layer.document.get(EXTENDS);
  if (base === undefined) {
    return [...extending, layer];
  }
  const at = placeOf(layer, [EXTENDS]);
  if (typeof base !== 'string') {
    throw new EnvironmentError([`${at} extends: must be the name of a file beside this one`]);
  }
  const basePath = resolve(dirname(path), base);
  if ([...extending, layer].some((other) => other.path === basePath)) {
    throw new EnvironmentError([`${at} extends: the file extends itself; remove one of the extends`]);
  }
  if (!statSync(basePath, { throwIfNoEntry: false })?.isFile()) {
    throw new EnvironmentError([`${at} extends: there is no file "${base}" beside this one`]);
  }
  return readLayers(basePath, [...extending, layer]);
}

/** A place in a file, `file:line:column`, by its offset. */
type Place = (offset: number) => string;

function readLayer(path: string): Layer {
  const file = relative(process.cwd(), path);
  const text = textOf(path, file);
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  checkDepth(text, file);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  checkSyntax(document, text, place);
  if (!isMap(document.contents)) {
    throw new EnvironmentError([`${file}:1:1 must be a map of settings`]);
  }
  checkAliases(document, place);
  checkKeys(document, place);
  checkVariables(document, place);
  return { path, file, document, lines };
}

/** Why a file cannot be read, by the code of the error. */
const UNREADABLE: { readonly [code: string]: string } = {
  EISDIR: 'is a folder; move it away, or give it another name',
  ELOOP: 'is a symbolic link that leads to itself; replace it by a file',
  ENOENT: 'does not exist, or is a link that leads nowhere; give the path of an environment file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text; save it as UTF-8',
};

function textOf(path: string, file: string): string {
  try {
    // YAML has one line break, however it is written in the file (YAML 1.2.2, section 5.4).
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).replaceAll('\r\n', '\n');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new EnvironmentError([`${file} ${UNREADABLE[code] ?? `cannot be read: ${message}`}`]);
  }
}

/** Far more than any setting has, and far less than the parser and those after it can bear. */
const DEEPEST = 100;

/** Refuses what would exhaust the parser, which calls itself for every level. */
function checkDepth(text: string, file: string): void {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme)) {
      // Only how deep it is matters.
    }
    if (parser.stack.length > DEEPEST) {
      throw new EnvironmentError([`${file} is nested more than ${DEEPEST} levels deep; no setting is`]);
    }
  }
}

/** Refuses what is no YAML, and what is but would be read otherwise than it looks. */
function checkSyntax({ errors, warnings, contents }: Document.Parsed, text: string, place: Place): void {
  const problems = [...errors, ...warnings].map(({ code, message, pos }) => {
    switch (code) {
      case 'MULTIPLE_DOCS':
        return `${place(pos[0])} is not valid YAML: a second document begins here; a file holds one`;
      case 'TAG_RESOLVE_FAILED':
        return `${place(pos[0])} has the tag ${text.slice(pos[0], pos[1])}, which nothing here resolves; remove it`;
      default:
        return `${place(pos[0])} is not valid YAML: ${lowerFirst(message)}`;
    }
  });
  const directive = /^%.*/m.exec(text.slice(0, contents?.range[0] ?? 0));
  if (problems.length === 0 && directive !== null) {
    problems.push(`${place(directive.index)} has the directive ${directive[0]}; remove it, files are YAML 1.2`);
  }
  if (problems.length > 0) {
    throw new EnvironmentError(problems);
  }
}

/** Keys that mean something else than they look like: YAML 1.2 has no merge keys, and maps lose a key that is theirs. */
const REFUSED_KEYS = new Map([
  ['<<', 'merge keys are not supported; put what files have in common into a file that they extend'],
  ['__proto__', '__proto__ cannot be the name of anything here; choose another'],
]);

function checkKeys(document: Document.Parsed, place: Place): void {
  visit(document, {
    Pair: (_, { key }) => {
      const problem = isCollection(key)
        ? 'a list or a map cannot be the name of anything here; write a text'
        : isScalar(key)
          ? REFUSED_KEYS.get(String(key.value))
          : undefined;
      if (problem !== undefined) {
        throw new EnvironmentError([`${place((isNode(key) && key.range?.[0]) || 0)} ${problem}`]);
      }
    },
  });
}

/** Where variables of containers stand, whose values are texts in the end. */
const VARIABLES = 'env';

/** Refuses numbers and switches that a container would see otherwise than they stand in the file: 1.10, 0o17, True. */
function checkVariables(document: Document.Parsed, place: Place): void {
  const problems: string[] = [];
  visit(document, {
    Pair: (_, { key, value }, above) => {
      if (isScalar(key) && key.value === VARIABLES && isMap(value)) {
        const path = [...stepsTo(above), VARIABLES].join('.');
        problems.push(...value.items.flatMap((variable) => variableProblem(document, path, variable, place)));
      }
    },
  });
  if (problems.length > 0) {
    throw new EnvironmentError(problems);
  }
}

function variableProblem(document: Document.Parsed, path: string, { key, value: node }: Pair, place: Place): string[] {
  const scalar = isAlias(node) ? node.resolve(document) : node;
  if (!isScalar(key) || !isScalar(scalar)) {
    return [];
  }
  const { value, source } = scalar;
  const asText = String(value);
  return ['number', 'boolean'].includes(typeof value) && source !== undefined && source !== asText
    ? [
        `${place(key.range?.[0] ?? 0)} ${path}.${key.value}: is ${source}, which YAML reads as ${asText}; put it in quotes`,
      ]
    : [];
}

/** The keys and positions in lists that lead to what stands below these nodes. */
function stepsTo(above: readonly unknown[]): string[] {
  return above.flatMap((node, index) => {
    if (isPair(node)) {
      return isScalar(node.key) ? [String(node.key.value)] : [];
    }
    return isSeq(node) ? [String(node.items.indexOf(above[index + 1]))] : [];
  });
}

/** The parser looks an alias up only when its value is asked for, and then its place is lost. */
function checkAliases(document: Document.Parsed, place: Place): void {
  visit(document, {
    Alias: (_, alias, above) => {
      const at = place(alias.range?.[0] ?? 0);
      if (alias.resolve(document) === undefined) {
        throw new EnvironmentError([`${at} is not valid YAML: no anchor above it is named &${alias.source}`]);
      }
      if (above.some((node) => isCollection(node) && node.anchor === alias.source)) {
        throw new EnvironmentError([`${at} is not valid YAML: *${alias.source} stands inside of what it refers to`]);
      }
    },
  });
}

/** What one file says. */
function contentOf({ document, file }: Layer): Record<string, unknown> {
  try {
    const { [EXTENDS]: _, ...rest } = document.toJS();
    return rest;
  } catch (error) {
    if (error instanceof ReferenceError) {
      throw new EnvironmentError([`${file} has aliases that repeat too much; write out what they stand for`]);
    }
    throw error;
  }
}

function placeOf(layer: Layer, path: ValuePath): string {
  const { line, col } = layer.lines.linePos(offsetOf(layer.document, path) ?? 0);
  return `${layer.file}:${line}:${col}`;
}

/** Where the key or list entry at the end of a path stands. */
function offsetOf(document: Document.Parsed, path: ValuePath): number | undefined {
  const step = path.at(-1);
  if (step === undefined) {
    return document.contents?.range[0];
  }
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = isMap(parent)
    ? parent.items.map((pair) => pair.key).find((node) => isScalar(node) && String(node.value) === String(step))
    : undefined;
  const node = isSeq(parent) ? parent.get(step, true) : key;
  return isNode(node) ? node.range?.[0] : undefined;
}

function merge(base: unknown, overlay: unknown): unknown {
  if (!isPlainMap(base) || !isPlainMap(overlay)) {
    return overlay;
  }
  const keys = [...new Set([...Object.keys(base), ...Object.keys(overlay)])];
  return Object.fromEntries(
    keys.map((key) => [key, Object.hasOwn(overlay, key) ? merge(base[key], overlay[key]) : base[key]]),
  );
}

/** What is null is not set. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutNulls);
  }
  return isPlainMap(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, child]) => child !== null)
          .map(([key, child]) => [key, withoutNulls(child)]),
      )
    : value;
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
