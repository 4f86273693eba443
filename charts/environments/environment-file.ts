import { readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Document, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';

/** Path of a value in a file: keys and positions in lists. */
export type ValuePath = readonly (string | number)[];

/** Something wrong in environment files; each problem begins with its place, `file:line:column`. */
export class EnvironmentError extends Error {
  public constructor(
    /** What is wrong, place by place. */
    public readonly problems: string[],
  ) {
    super(problems.join('\n'));
    this.name = 'EnvironmentError';
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
  /** Reads a file and what it extends. */
  public static read(path: string): EnvironmentFile {
    return new EnvironmentFile(readLayers(resolve(path), []));
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

function readLayer(path: string): Layer {
  const file = relative(process.cwd(), path);
  const lines = new LineCounter();
  const document = parseDocument(textOf(path, file), { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new EnvironmentError(
      document.errors.map(({ code, message, pos }) => {
        const { line, col } = lines.linePos(pos[0]);
        const what = code === 'MULTIPLE_DOCS' ? 'a second document begins here; a file holds one' : lowerFirst(message);
        return `${file}:${line}:${col} is not valid YAML: ${what}`;
      }),
    );
  }
  if (!isMap(document.contents)) {
    throw new EnvironmentError([`${file}:1:1 must be a map of settings`]);
  }
  checkAliases(document, (offset) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  });
  return { path, file, document, lines };
}

/** The parser looks an alias up only when its value is asked for, and then its place is lost. */
function checkAliases(document: Document.Parsed, place: (offset: number) => string): void {
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

function textOf(path: string, file: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new EnvironmentError([`${file}: there is no such file; give the path of an environment file`]);
  }
  return readFileSync(path, 'utf8');
}

/** What one file says. */
function contentOf({ document }: Layer): Record<string, unknown> {
  const { [EXTENDS]: _, ...rest } = document.toJS();
  return rest;
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
