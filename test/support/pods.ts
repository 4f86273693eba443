import type { Json, ManifestObject } from '../../constructs/rules/output';

/** The pods that an object creates, found without the product's help. */
export interface Pods {
  readonly owner: ManifestObject;
  /** Name of the workload, as connections know it. */
  readonly name: string;
  readonly title: string;
  readonly labels: { readonly [label: string]: string };
  readonly annotations: { readonly [annotation: string]: string };
  readonly spec: Json;
  readonly containers: Json[];
}

/** Kinds of which an operator completes the template before there are pods of it. */
const OPERATED = ['Pooler'];

/** Every pod template among some objects, whatever kind holds it. */
export function podsOf(objects: ManifestObject[]): Pods[] {
  return objects.flatMap((owner) => {
    const template = owner.spec?.template ?? owner.spec?.jobTemplate?.spec?.template;
    if (template?.spec?.containers === undefined || OPERATED.includes(owner.kind)) {
      return [];
    }
    const { spec, metadata = {} } = template;
    return [
      {
        owner,
        name: owner.metadata.name,
        title: `${owner.kind}/${owner.metadata.name}`,
        labels: metadata.labels ?? {},
        annotations: metadata.annotations ?? {},
        spec,
        containers: [...(spec.initContainers ?? []), ...spec.containers],
      },
    ];
  });
}

/** Whether labels satisfy a selector of equalities and of labels that are not there. */
export function matches(labels: { readonly [label: string]: string }, selector: Json): boolean {
  const expressions: Json[] = selector?.matchExpressions ?? [];
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([label, value]) => labels[label] === value) &&
    expressions.every(({ key, operator }) => operator === 'DoesNotExist' && labels[key] === undefined)
  );
}
