import type { Json, ManifestObject } from '../../constructs/rules/output';

/** The pods that an object creates, found without the product's help. */
export interface Pods {
  readonly owner: ManifestObject;
  readonly title: string;
  readonly labels: { readonly [label: string]: string };
  readonly annotations: { readonly [annotation: string]: string };
  readonly spec: Json;
  readonly containers: Json[];
}

/** Every pod template among some objects, whatever kind holds it. */
export function podsOf(objects: ManifestObject[]): Pods[] {
  return objects.flatMap((owner) => {
    const template = owner.spec?.template ?? owner.spec?.jobTemplate?.spec?.template;
    if (template?.spec?.containers === undefined) {
      return [];
    }
    const { spec, metadata = {} } = template;
    return [
      {
        owner,
        title: `${owner.kind}/${owner.metadata.name}`,
        labels: metadata.labels ?? {},
        annotations: metadata.annotations ?? {},
        spec,
        containers: [...(spec.initContainers ?? []), ...spec.containers],
      },
    ];
  });
}

/** Whether labels satisfy a selector of equalities. */
export function matches(labels: { readonly [label: string]: string }, selector: Json): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
}
