import type { IConstruct } from 'constructs';
import { shownSafely } from './credential-forms';
import { placeOf } from './described-parts';

/** Characters that are no part of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Where in the caller's code or environment file a mistake was made. */
export interface UsageErrorSite {
  /**
   * The construct that was misused.
   * @default - the mistake is in a value that belongs to no construct yet
   */
  readonly scope?: IConstruct;

  /**
   * The property that holds the wrong value, as a path from the construct's props: `scaling.min`.
   * @default - the construct as a whole
   */
  readonly property?: string;
}

/** Refuses a value with which something is wrong. */
export function refuse(problem: string | undefined, site: UsageErrorSite): void {
  if (problem !== undefined) {
    throw new UsageError(problem, site);
  }
}

/**
 * Misuse of the library. The message names the construct path, the property, the value, what is
 * allowed and what to do; it is one sentence, lower case, without a full stop. What looks like a credential is not
 * repeated in it.
 */
export class UsageError extends Error {
  /**
   * Path of the misused construct in its app, `rag/qdrant`; empty for a value outside any construct. A part that its owner
   * describes is not named, but its owner.
   */
  public readonly constructPath: string;

  /** Path of the property from the construct's props, `scaling.min`; empty for the construct as a whole. */
  public readonly property: string;

  /** What is wrong and what to do, without the location. */
  public readonly problem: string;

  public constructor(problem: string, site: UsageErrorSite = {}) {
    const { scope, property: said = '' } = site;
    const { constructPath, property } =
      scope === undefined ? { constructPath: '', property: said } : placeOf(scope, said);
    const safe = oneLine(shownSafely(problem));
    const subject = [property, safe].filter((part) => part !== '').join(' ');
    super(oneLine(constructPath === '' ? subject : `${constructPath}: ${subject}`));
    this.name = 'UsageError';
    this.constructPath = constructPath;
    this.property = property;
    this.problem = safe;
  }
}

/** A value in a message may have lines of its own, and a message is one. */
function oneLine(text: string): string {
  return text.replace(CONTROL, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
