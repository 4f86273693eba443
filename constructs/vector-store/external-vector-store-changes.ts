import type { EmbeddingModel } from '../models/embedding-model';
import type { ChangeRule } from '../rules/change-rule';
import { type Json, type ManifestObject, renderedPods } from '../rules/output';

/** A collection of a store outside, as its clients are told of it. */
interface NamedCollection {
  /** Beginning of the name of the variable with the URL. */
  readonly prefix: string;
  /** URL of the store. */
  readonly url: string;
  /** Name of the collection. */
  readonly name: string;
  /** Model whose vectors clients expect in it. */
  readonly model: EmbeddingModel;
}

/** A collection keeps its model; all that a render says of it is what clients are told. */
export function externalCollectionChanges({ prefix, url, name, model }: NamedCollection): ChangeRule {
  return {
    name: 'collections outside keep their model',
    check: (before) => {
      const [other] = variablesIn(before)
        .filter((variables) => variables.get(`${prefix}_URL`) === url && variables.get('COLLECTION_NAME') === name)
        .map((variables) => vectors(variables.get('EMBEDDING_DIMENSIONS'), variables.get('EMBEDDING_MODEL')))
        .filter((text) => text !== undefined && text !== vectors(model.dimensions, model.id));
      return other === undefined
        ? []
        : [
            `collection "${name}" at ${url} holds vectors of ${other}, and the model makes vectors of ` +
              `${vectors(model.dimensions, model.id)}, which are never found among the others; keep the model, or create ` +
              'and fill a collection of another name, and set collection to that',
          ];
    },
  };
}

/** Undefined where clients are not told both. */
function vectors(dimensions: string | number | undefined, model: string | undefined): string | undefined {
  return dimensions === undefined || model === undefined ? undefined : `${dimensions} dimensions of ${model}`;
}

/** The variables of every container. */
function variablesIn(objects: readonly ManifestObject[]): Map<string, string>[] {
  return objects
    .flatMap(renderedPods)
    .flatMap(({ containers }) => containers)
    .map(({ env }: Json) => new Map((Array.isArray(env) ? env : []).map((each: Json) => [each.name, each.value])));
}
