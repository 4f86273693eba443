import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from '@swc/core';
import type { Json } from '../../constructs/rules/output';

const ROOT = resolve(__dirname, '..', '..');

/** A type in a file of declarations, written `<file> <name>`. */
type Type = string;

/** A file of declarations: what it declares, and where its other names come from. */
class Declarations {
  /** Declarations by name; a class and an interface may share one. */
  private readonly own = new Map<string, Json[]>();
  private readonly imported = new Map<string, Type>();
  /** Types that it passes on, by whatever name. */
  public readonly passedOn: Type[] = [];

  public constructor(
    private readonly folder: string,
    private readonly file: string,
  ) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const item of parseSync(text, { syntax: 'typescript' }).body as Json[]) {
      this.read(item);
    }
  }

  private read(item: Json): void {
    const file = item.source?.value.startsWith('.') ? this.fileOf(item.source.value) : undefined;
    if (item.type === 'ImportDeclaration' && file !== undefined) {
      for (const { local, imported } of item.specifiers) {
        this.imported.set(local.value, `${file} ${(imported ?? local).value}`);
      }
    }
    if (item.type === 'ExportNamedDeclaration' && file !== undefined) {
      this.passedOn.push(...item.specifiers.map(({ orig }: Json) => `${file} ${orig.value}`));
    }
    const declaration = item.type === 'ExportDeclaration' ? item.declaration : item;
    for (const { value } of namesOf(declaration)) {
      this.own.set(value, [...(this.own.get(value) ?? []), declaration]);
    }
  }

  private fileOf(specifier: string): string {
    return `${relative(this.folder, resolve(this.folder, dirname(this.file), specifier))}.d.ts`;
  }

  /** Types of these declarations that a declaration names. Others are of packages, or parameters of types. */
  public typesIn(name: string): Type[] {
    const used = (this.own.get(name) ?? []).flatMap((declaration) => referencesIn(declaration));
    return [...new Set(used)].flatMap((other) => {
      const [, source, imported] = /^import (\.\S*) (.+)$/.exec(other) ?? [];
      if (source !== undefined) {
        return `${this.fileOf(source)} ${imported}`;
      }
      const own = this.own.has(other) ? `${this.file} ${other}` : undefined;
      return this.imported.get(other) ?? own ?? [];
    });
  }
}

function namesOf({ id, identifier, declarations = [] }: Json): Json[] {
  return [id, identifier, ...declarations.map((one: Json) => one.id)].filter((name) => name?.value !== undefined);
}

/** Names of the types in a declaration, however deep: of `k8s.PodSpec` `k8s`, of `import('./port').Port` `import ./port Port`. */
function referencesIn(node: Json): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  if (node.type === 'TsImportType') {
    return [`import ${node.argument.value} ${firstOf(node.qualifier)}`, ...referencesIn(node.typeArguments)];
  }
  const name =
    node.type === 'TsTypeReference'
      ? node.typeName
      : node.type === 'TsTypeQuery'
        ? node.exprName
        : node.type === 'TsExpressionWithTypeArguments'
          ? node.expression
          : node.superClass;
  return [...firstOf(name), ...Object.values(node).flatMap((child) => referencesIn(child as Json))];
}

function firstOf(name: Json): string[] {
  return name === undefined || name === null ? [] : name.left === undefined ? [name.value] : firstOf(name.left);
}

describe('the declarations of the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'));
  const files = new Map<string, Declarations>();

  function read(file: string): Declarations {
    const known = files.get(file) ?? new Declarations(folder, file);
    files.set(file, known);
    return known;
  }

  beforeAll(() => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const settings = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder];
    execFileSync(process.execPath, [tsc, ...settings], { cwd: ROOT, stdio: 'inherit' });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('name no type that the package does not export', () => {
    const exported = new Set(read('index.d.ts').passedOn);
    expect(exported.size).toBeGreaterThan(200);
    const missing = [...exported].flatMap((type) => {
      const [file = '', name = ''] = type.split(' ');
      expect([type, existsSync(join(folder, file))]).toEqual([type, true]);
      const used = read(file).typesIn(name);
      return used
        .filter((other) => !other.startsWith('imports/') && !exported.has(other))
        .map((other) => `${other}, in ${name}`);
    });
    expect(missing).toEqual([]);
  });
});
