import { nameOf } from './output';
import type { Rule } from './rule';

const PINNED = /^[^\s@]+\/[^\s@:]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/;

/** Every image names its registry and a release. */
export const imagesPinned: Rule = {
  name: 'every image is pinned',
  check: (output) =>
    output.ownPods.flatMap(({ owner, containers }) =>
      containers
        .filter(({ image }) => !PINNED.test(image ?? '') || /:latest(@|$)/.test(image))
        .map(
          ({ name, image }) =>
            `${nameOf(owner)}: container ${name} runs ${image}; name the registry and a tag that does not move`,
        ),
    ),
};
