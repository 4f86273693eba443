import { z } from 'zod';

/** What a setting of one kind holds, whichever kind it is. */
type KindOf<Kinds extends Readonly<Record<string, z.ZodType>>> = z.output<Kinds[keyof Kinds]>;

/**
 * Something that is of exactly one kind, which its only setting names: `{ redis: {} }` or `{ externalRedis: { … } }`.
 * To be of another kind is a change of one line.
 */
export function oneOf<Kinds extends Readonly<Record<string, z.ZodOptional>>>(kinds: Kinds) {
  return z
    .strictObject(kinds)
    .superRefine((input, context) => {
      const given = Object.keys(input).filter((kind) => input[kind as keyof typeof input] !== undefined);
      const message = problemOf(given, Object.keys(kinds));
      // Where a kind is misspelled, that is said, and that there is none follows from it.
      if (message !== undefined && context.issues.length === 0) {
        context.addIssue({ code: 'custom', message, path: given.length === 0 ? [] : [given[1] as string] });
      }
    })
    .transform((input) => Object.values(input).find((kind) => kind !== undefined) as Exclude<KindOf<Kinds>, undefined>);
}

function problemOf(given: string[], kinds: string[]): string | undefined {
  switch (given.length) {
    case 1:
      return undefined;
    case 0:
      return `does not say what it is; set one of ${kinds.join(', ')}`;
    default:
      return (
        `is set together with ${given[0]}, but it is one thing; keep one of the two, and take away what an extended file ` +
        'says with null'
      );
  }
}
