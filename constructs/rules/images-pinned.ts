import { nameOf } from './output';
import type { Rule } from './rule';

/** Tags that name whatever is newest. */
const MOVING_TAGS =
  /^(latest|main|master|trunk|head|stable|edge|canary|nightly|snapshot|dev|devel|develop|development)$/i;

/** Whether a tag names another image tomorrow. */
export function isMovingTag(tag: string): boolean {
  return MOVING_TAGS.test(tag);
}

/** A registry host, a path, a tag, and a digest if there is one. */
const PINNED = /^(?:[^\s/@]+[.:][^\s/@]+|localhost)\/[^\s@:]+:([\w][\w.-]*)(?:@sha256:[0-9a-f]{64})?$/;

/** Every image names its registry and a release. */
export const imagesPinned: Rule = {
  name: 'every image is pinned',
  check: (output) =>
    output.ownPods.flatMap(({ owner, containers }) =>
      containers
        .filter(({ image }) => !isPinned(image ?? ''))
        .map(
          ({ name, image }) =>
            `${nameOf(owner)}: container ${name} runs ${image}; name the registry and a tag that does not move`,
        ),
    ),
};

function isPinned(image: string): boolean {
  const tag = PINNED.exec(image)?.[1];
  return tag !== undefined && !isMovingTag(tag);
}
