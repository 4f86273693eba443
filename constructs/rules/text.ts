/** Longest text that Linux hands to a program, its end included (execve(2), MAX_ARG_STRLEN). */
const MOST_BYTES = 128 * 1024 - 1;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** What is wrong with a text as an argument or variable of a program, or undefined when nothing is. The text may be a secret. */
export function textProblem(text: string): string | undefined {
  if (Buffer.byteLength(text) > MOST_BYTES) {
    return `has ${Buffer.byteLength(text)} bytes, but a program takes at most ${MOST_BYTES} in one text; put it into a file`;
  }
  return CONTROL.test(text) ? 'has control characters, which no program is handed as they are; remove them' : undefined;
}
