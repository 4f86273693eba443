import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

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
    return this.layers
      .map(({ document }): unknown => withoutExtends(document.toJS()))
      .reduceRight((base, overlay) => merge(base, overlay));
  }

  /** Name of the file, as messages give it. */
  public get name(): string {
    return this.layers[0]?.file ?? '';
  }

  /** Where a value stands, or the nearest value above it that is written down: `file:line:column`. */
  public locate(path: ValuePath): string {
    for (let length = path.length; length >= 0; length -= 1) {
      for (const layer of this.layers) {
        const offset = offsetOf(layer.document, path.slice(0, length));
        if (offset !== undefined && (length > 0 || layer === this.layers[0])) {
          const { line, col } = layer.lines.linePos(offset);
          return `${layer.file}:${line}:${col}`;
        }
      }
    }
    return `${this.name}:1:1`;
  }
}

function readLayers(path: string, extending: string[]): Layer[] {
  const file = relative(process.cwd(), path);
  if (extending.includes(path)) {
    throw new EnvironmentError([`${file}:1:1 extends: the file extends itself; remove one of the extends`]);
  }
  const layer = readLayer(path, file);
  const base = layer.document.get(EXTENDS);
  if (base === undefined) {
    return [layer];
  }
  if (typeof base !== 'string') {
    throw new EnvironmentError([`${place(layer, [EXTENDS])} extends: must be the name of a file beside this one`]);
  }
  const basePath = resolve(dirname(path), base);
  try {
    return [layer, ...readLayers(basePath, [...extending, path])];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new EnvironmentError([`${place(layer, [EXTENDS])} extends: there is no file ${base} beside this one`]);
    }
    throw error;
  }
}

function readLayer(path: string, file: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new EnvironmentError(
      document.errors.map(({ message, pos }) => {
        const { line, col } = lines.linePos(pos[0]);
        return `${file}:${line}:${col} is not valid YAML: ${lowerFirst(message)}`;
      }),
    );
  }
  if (!isMap(document.contents)) {
    throw new EnvironmentError([`${file}:1:1 must be a map of settings`]);
  }
  return { file, document, lines };
}

function place(layer: Layer, path: ValuePath): string {
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
    ? parent.items.map((pair) => pair.key).find((node) => isScalar(node) && node.value === step)
    : undefined;
  const node = isSeq(parent) ? parent.get(step, true) : key;
  return isNode(node) ? node.range?.[0] : undefined;
}

function withoutExtends(content: Record<string, unknown>): Record<string, unknown> {
  const { [EXTENDS]: _, ...rest } = content;
  return rest;
}

function merge(base: unknown, overlay: unknown): unknown {
  if (!isPlainMap(base) || !isPlainMap(overlay)) {
    return overlay;
  }
  const keys = [...new Set([...Object.keys(base), ...Object.keys(overlay)])];
  return Object.fromEntries(
    keys
      .map((key): [string, unknown] => [key, key in overlay ? merge(base[key], overlay[key]) : base[key]])
      .filter(([, value]) => value !== null),
  );
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
