import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';

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
}

/** An argument with its value, if it has one, and the setting that says it. */
export function serverArgument(
  flag: string,
  value: string | undefined,
  { setting, aliases }: Pick<ServerArgument, 'setting' | 'aliases'> = {},
): ServerArgument {
  return { flag, aliases, setting, words: value === undefined ? [] : [flag, value] };
}

/** Refuses further arguments that say what the library derives: of two, the server takes the last one. */
export function checkServerArguments(
  scope: IConstruct,
  derived: readonly ServerArgument[],
  args: readonly string[],
): void {
  for (const word of args.filter((candidate) => candidate.startsWith('-'))) {
    // vLLM takes underscores for hyphens.
    const name = (word.split('=')[0] as string).replaceAll('_', '-');
    const found = derived.find(({ flag, aliases = [] }) => flag === name || aliases.includes(name));
    if (found !== undefined) {
      throw new UsageError(`has ${word}, which the library derives; ${wayOut(found)}`, { scope, property: 'args' });
    }
  }
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
