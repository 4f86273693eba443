import { ARCHITECTURE_LABEL, Architecture } from '../placement/architecture';
import type { Placement } from '../placement/placement';
import type { Image } from './image';

/**
 * Labels of the nodes for pods with these images. Where they are for several architectures the pool may decide, and where
 * they are for none in common {@link architectureProblem} says so.
 */
export function nodeSelectorFor({ nodeSelector }: Placement, images: Image[]): { [label: string]: string } {
  const [architecture, ...others] = commonArchitectures(images);
  return architecture === undefined || others.length > 0
    ? nodeSelector
    : { ...nodeSelector, [ARCHITECTURE_LABEL]: architecture };
}

/** Why no node of the placement can run all of these images, or undefined when one can. */
export function architectureProblem({ nodeSelector, pool }: Placement, images: Image[]): string | undefined {
  const known = images.filter(({ architectures }) => architectures !== undefined);
  const described = known.map(({ repository, tag, architectures = [] }) => {
    return `${repository}:${tag} is for ${architectures.join(' and ')}`;
  });
  if (commonArchitectures(images).length === 0) {
    return `have nothing in common: ${described.join(', ')}; use builds for one architecture`;
  }
  const ofNodes = nodeSelector[ARCHITECTURE_LABEL];
  return ofNodes === undefined || known.every(({ architectures }) => architectures?.some((one) => one === ofNodes))
    ? undefined
    : `do not fit: ${described.join(', ')}, but nodes of the pool "${pool?.name}" are ${ofNodes}; use a build for these, ` +
        'or another nodePool';
}

/** Architectures that all images are for, as far as they say. */
function commonArchitectures(images: Image[]): Architecture[] {
  return Object.values(Architecture).filter((one) =>
    images.every(({ architectures }) => architectures?.includes(one) ?? true),
  );
}
