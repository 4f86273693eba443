import { closest, distance } from 'fastest-levenshtein';

/** The one of these texts that was probably meant; undefined when none is near enough. */
export function similarTo(text: string, among: readonly string[]): string | undefined {
  if (among.length === 0) {
    return undefined;
  }
  const nearest = closest(text, among);
  const allowance = Math.min(Math.max(2, text.length / 3), text.length / 2);
  return distance(text.toLowerCase(), nearest.toLowerCase()) <= allowance ? nearest : undefined;
}
