import type { Construct } from 'constructs';
import { type Description, describedAt, describeParts } from '../constructs/rules/described-parts';
import { UsageError } from '../constructs/rules/usage-error';

/**
 * Makes a part of the platform; what it refuses, now or when everything is wired, is refused at the setting that
 * describes it, where that is not named like the part.
 */
export function describedBy<Part>(scope: Construct, setting: Description, make: () => Part): Part {
  const earlier = new Set(scope.node.children);
  try {
    const part = make();
    for (const { node } of scope.node.children.filter((candidate) => !earlier.has(candidate))) {
      describeParts(scope, { [node.id]: setting });
    }
    return part;
  } catch (error) {
    // What is said about the platform itself is at its setting already.
    if (!(error instanceof UsageError) || error.constructPath === scope.node.path) {
      throw error;
    }
    throw new UsageError(error.problem, { scope, property: describedAt(setting, error.property) });
  }
}

/** What describes a part whose image is said elsewhere. */
export function withImageOf(imageSetting: string, setting: string): Description {
  return (property) => (property.split('.')[0] === 'image' ? imageSetting : setting);
}

/** The setting that describes a part of a platform which is named like it: `embeddingWorkers`. */
export function settingOf(part: string): string {
  return part.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
