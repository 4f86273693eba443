import { EnvironmentError } from '../../charts/environments/environment-file';
import type { EnvironmentFolder } from './environment-folder';
import { refusalOf } from './refusal';

/** A mistake, the lines that make it, and what is said about them. */
export type Mistake = [mistake: string, lines: string[], ...problems: string[]];

/** What is said about `test.yaml` of a folder, without the name of the file. */
export function refusalsOf(folder: EnvironmentFolder, render: () => unknown): string[] {
  const error = refusalOf(render);
  expect(error).toBeInstanceOf(EnvironmentError);
  const beginning = `${folder.shown('test.yaml')}:`;
  return (error as EnvironmentError).problems.map((problem) =>
    problem.startsWith(beginning) ? problem.slice(beginning.length) : problem,
  );
}

/** One test for each mistake. */
export function expectRefusals(refused: (...lines: string[]) => string[], mistakes: Mistake[]): void {
  test.each(mistakes.map(([mistake, lines, ...problems]) => ({ mistake, lines, problems })))(
    '$mistake',
    ({ lines, problems }) => {
      expect(refused(...lines)).toEqual(problems);
    },
  );
}
