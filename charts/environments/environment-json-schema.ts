import { z } from 'zod';
import { ExistingSecrets } from '../../constructs/secrets/secret-source';
import type { ValuePath } from './environment-file';
import { environmentSchema } from './environment-schema';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: { readonly [key: string]: JsonSchema };
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: JsonSchema[];
  readonly required?: string[];
}

/**
 * JSON Schema of an environment file, for editors. A file that extends another, and one that is only there to be
 * extended, may leave out what the other says, so nothing is required of them. `null` takes a setting away.
 */
export function environmentJsonSchema(): object {
  const { $schema, ...whole } = fileSchema() as JsonSchema & { $schema: string };
  return {
    $schema,
    title: 'Environment of a RAG platform',
    if: { required: ['namespace'], not: { required: ['extends'] } },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: nullable(whole, false),
    else: nullable(whole, true),
  };
}

/** The settings at a place in an environment file; none where any name is allowed. */
export function allowedKeys(path: ValuePath): string[] {
  const at = path.reduce<JsonSchema | undefined>((schema, step) => below(schema, step), fileSchema());
  return formsOf(at)
    .flatMap(({ properties = {} }) => Object.keys(properties))
    .sort();
}

function fileSchema(): JsonSchema {
  return z.toJSONSchema(environmentSchema(new ExistingSecrets()), { io: 'input' }) as JsonSchema;
}

function below(schema: JsonSchema | undefined, step: string | number): JsonSchema | undefined {
  return formsOf(schema)
    .map(({ items, properties, additionalProperties: other }) =>
      typeof step === 'number' ? items : (properties?.[step] ?? (typeof other === 'object' ? other : undefined)),
    )
    .find((child) => child !== undefined);
}

/** The forms that a value may have: a model is a name, or a map of facts. */
function formsOf(schema: JsonSchema | undefined): JsonSchema[] {
  return schema === undefined ? [] : (schema.anyOf ?? [schema]);
}

/** The same settings; what is not required may be null, and nothing is required of a file that is a part. */
function nullable(schema: JsonSchema, part: boolean): JsonSchema {
  const { required = [], properties, additionalProperties, items, ...rest } = schema;
  const orNull = ({ description, ...child }: JsonSchema) => ({
    description,
    anyOf: [nullable(child, part), { type: 'null' }],
  });
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, child]) => [
          key,
          !part && required.includes(key) ? nullable(child, part) : orNull(child),
        ]),
      ),
    }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? orNull(additionalProperties) : additionalProperties,
    }),
    ...(items && { items: nullable(items, false) }),
    ...(!part && required.length > 0 && { required }),
  };
}
