import type { Construct, IConstruct } from 'constructs';
import { UsageError } from '../constructs/rules/usage-error';

/** Settings by the part of a platform that they describe, where it is not named like its setting. */
const SETTINGS = new WeakMap<IConstruct, string>();

/**
 * Makes a part of the platform; what it refuses, now or when everything is wired, is refused at the setting that
 * describes it, where that is not named like the part.
 */
export function describedBy<Part>(scope: Construct, setting: string, make: () => Part): Part {
  const earlier = new Set(scope.node.children);
  try {
    const part = make();
    for (const child of scope.node.children.filter((candidate) => !earlier.has(candidate))) {
      SETTINGS.set(child, setting);
    }
    return part;
  } catch (error) {
    // What is said about the platform itself is at its setting already.
    if (!(error instanceof UsageError) || error.constructPath === scope.node.path) {
      throw error;
    }
    const property = [setting, error.property].filter((part) => part !== '').join('.');
    throw new UsageError(error.problem, { scope, property });
  }
}

/**
 * The setting that describes a part of a platform: as a rule the part is named like it, `embedding-workers`.
 *
 * @param part id of the part
 * @param platform what it is a part of; undefined while the platform is not yet whole
 */
export function settingOf(part: string, platform?: IConstruct): string {
  const child = platform?.node.tryFindChild(part);
  const setting = child === undefined ? undefined : SETTINGS.get(child);
  return setting ?? part.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
