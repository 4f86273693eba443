import type { IConstruct } from 'constructs';
import { refuse, UsageError } from '../rules/usage-error';

/** An argument of a model server that the library derives, or that would contradict what it derives. */
export interface ServerArgument {
  /** Its long name: `--max-model-len`. */
  readonly flag: string;
  /** Its other names: `-tp`. */
  readonly aliases?: readonly string[];
  /** As it stands on the command line; nothing where the server's own default is right. */
  readonly words: readonly string[];
  /** The setting that says it; undefined where only the library decides. */
  readonly setting?: string;
  /** Why it is refused; undefined where the library derives it. */
  readonly problem?: string;
  /** Values that it may have all the same. */
  readonly allowed?: RegExp;
  /** Other arguments whose names its name begins with: `--tokenizer`. */
  readonly beginnings?: readonly string[];
}

/** An argument with its value, if it has one, and the setting that says it. */
export function serverArgument(
  flag: string,
  value: string | undefined,
  { setting, aliases }: Pick<ServerArgument, 'setting' | 'aliases'> = {},
): ServerArgument {
  return { flag, aliases, setting, words: value === undefined ? [] : [flag, value] };
}

/** An argument that must not be said, although the library does not say it either, and why. */
export function refusedArgument(flag: string, problem: string, details: Partial<ServerArgument> = {}): ServerArgument {
  return { ...details, flag, problem, words: [] };
}

/** Refuses further arguments that say what the library derives: of two, the server takes the last one. */
export function checkServerArguments(
  scope: IConstruct,
  derived: readonly ServerArgument[],
  args: readonly string[],
): void {
  args.forEach((word, index) => {
    const problem = wordProblem(word, args[index - 1]) ?? derivedProblem(derived, word, args[index + 1]);
    refuse(problem, { scope, property: 'args' });
  });
}

/** What is wrong with a word whatever the server knows. */
function wordProblem(word: string, before: string | undefined): string | undefined {
  if (word === '') {
    return 'has an empty argument; leave it out';
  }
  if (word.startsWith('-') && /\s/.test(nameOf(word))) {
    return `has "${word}", in which name and value are one word; make two of it, or put "=" between them`;
  }
  return /^--?$/.test(word) || (!word.startsWith('-') && !takesValue(before))
    ? `has ${word}, which follows no argument that takes a value, so that the server may take it for a model; leave it out`
    : undefined;
}

/** Whether the next word can be the value of this one, or one of its values. */
function takesValue(word: string | undefined): boolean {
  return word !== undefined && !/^--([^=]*=|(enable|disable|no)-)/.test(word);
}

function derivedProblem(
  derived: readonly ServerArgument[],
  word: string,
  next: string | undefined,
): string | undefined {
  const found = word.startsWith('-') ? derived.find((argument) => isNamed(argument, nameOf(word))) : undefined;
  const value = word.includes('=') ? word.slice(word.indexOf('=') + 1) : next;
  if (found === undefined || found.allowed?.test(value ?? '') === true) {
    return undefined;
  }
  return `has ${word}, ${found.problem ?? 'which the library derives'}; ${wayOut(found)}`;
}

/** vLLM takes underscores for hyphens. */
function nameOf(word: string): string {
  return (word.split('=')[0] as string).replaceAll('_', '-');
}

/** Python's argparse and getopt_long take the beginning of a name for the name (Python docs, "argparse", allow_abbrev). */
function isNamed({ flag, aliases = [], beginnings = [] }: ServerArgument, name: string): boolean {
  return [flag, ...aliases].some((known) => known === name || (known.startsWith(name) && !beginnings.includes(name)));
}

/** Refuses variables by which a server takes the same arguments: their names in capitals. */
export function checkServerVariables(
  scope: IConstruct,
  derived: readonly ServerArgument[],
  env: { readonly [name: string]: unknown },
): void {
  for (const argument of derived) {
    const name = argument.flag.replace(/^--/, '').replaceAll('-', '_').toUpperCase();
    if (Object.hasOwn(env, name)) {
      throw new UsageError(`says what the library derives as ${argument.flag}; ${wayOut(argument)}`, {
        scope,
        property: `env.${name}`,
      });
    }
  }
}

function wayOut({ setting }: ServerArgument): string {
  return setting === undefined ? 'leave it out' : `say it with ${setting}`;
}
