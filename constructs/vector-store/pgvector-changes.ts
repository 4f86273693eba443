import type { ChangeRule } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf, renderedPods } from '../rules/output';

/** Where the Job that creates a table finds its SQL; by it the Job is known again in a render. */
export const PGVECTOR_FILE = '/etc/pgvector/pgvector.sql';

/** A table of vectors as a render describes it. */
interface RenderedTable {
  /** The Job that creates it. */
  readonly source: ManifestObject;
  /** Its name. */
  readonly name: string;
  /** Numbers in a vector. */
  readonly dimensions: string;
  /** Model that makes them. */
  readonly model: string;
}

/** Vectors of two models are not comparable, even where they are of one size. */
export const pgvectorChanges: ChangeRule = {
  name: 'tables of vectors keep their model',
  check: (before, after) => {
    const previous = tablesIn(before);
    return [...tablesIn(after)].flatMap(([key, table]) => tableProblem(previous.get(key), table));
  },
};

function tableProblem(before: RenderedTable | undefined, after: RenderedTable): string[] {
  if (before === undefined || (before.model === after.model && before.dimensions === after.dimensions)) {
    return [];
  }
  return [
    `${nameOf(after.source)}: table "${after.name}" holds vectors of ${vectors(before)}, and the model makes vectors ` +
      `of ${vectors(after)}, which are never found among the others; keep the model, or set table to another name and ` +
      'fill that table anew',
  ];
}

function vectors({ dimensions, model }: RenderedTable): string {
  return `${dimensions} dimensions of ${model}`;
}

/** Every table that a render creates, by the database that it is in and its name. */
function tablesIn(objects: readonly ManifestObject[]): Map<string, RenderedTable> {
  return new Map(
    objects
      .filter(({ kind }) => kind === 'Job')
      .flatMap((source) =>
        renderedPods(source)
          .flatMap(({ containers }) => containers)
          .flatMap((container) => tableOf(source, container)),
      ),
  );
}

/** The table that a container creates; none when it does something else, or somebody has changed it by hand. */
function tableOf(source: ManifestObject, { command, env }: Json): [string, RenderedTable][] {
  const words: string[] = Array.isArray(command) ? command.map(String) : [];
  const value = (name: string) => words.find((word) => word.startsWith(`--set=${name}=`))?.slice(name.length + 7);
  const [name, dimensions, model] = ['table', 'dimensions', 'model'].map(value);
  if (!words.includes(`--file=${PGVECTOR_FILE}`) || name === undefined) {
    return [];
  }
  if (dimensions === undefined || model === undefined) {
    return [];
  }
  const variables: Json[] = Array.isArray(env) ? env : [];
  const place = ['PGHOST', 'PGDATABASE'].map((wanted) => variables.find((each) => each.name === wanted)?.value);
  const key = [source.metadata.namespace, ...place, name].join(' ');
  return [[key, { source, name, dimensions, model }]];
}
