/** The error with which something is refused; a test of something that is accepted fails. */
export function refusalOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}
