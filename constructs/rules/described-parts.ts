import type { IConstruct } from 'constructs';

/** The property that describes a part; a function where some properties of the part are said elsewhere. */
export type Description = string | ((property: string) => string);

/** A construct, and a property of it. */
export interface Place {
  /** Path of the construct in its app. */
  readonly constructPath: string;
  /** Path of the property from the construct's props. */
  readonly property: string;
}

/** Descriptions of parts by their owner and their id: a part may refuse something before it is whole. */
const DESCRIPTIONS = new WeakMap<IConstruct, Map<string, Description>>();

/**
 * Says which property of an owner describes a part, by the part's id: what the part refuses is then refused at that
 * property of the owner, which is the one that its user has written.
 */
export function describeParts(owner: IConstruct, parts: { readonly [id: string]: Description }): void {
  const described = DESCRIPTIONS.get(owner) ?? new Map<string, Description>();
  for (const [id, description] of Object.entries(parts)) {
    described.set(id, description);
  }
  DESCRIPTIONS.set(owner, described);
}

/** Where the property of a construct is said: at the outermost owner that describes the construct. */
export function placeOf(scope: IConstruct, property: string): Place {
  return [...scope.node.scopes].reverse().reduce<Place>(
    (place, part) => {
      const owner = part.node.scope;
      const description = owner && DESCRIPTIONS.get(owner)?.get(part.node.id);
      return owner === undefined || description === undefined
        ? place
        : { constructPath: owner.node.path, property: describedAt(description, place.property) };
    },
    { constructPath: scope.node.path, property },
  );
}

/** The property of an owner that a property of its part is. */
export function describedAt(description: Description, property: string): string {
  const prefix = typeof description === 'string' ? description : description(property);
  return [prefix, property].filter((step) => step !== '').join('.');
}
