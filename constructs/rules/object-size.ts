import { nameOf } from './output';
import type { Rule } from './rule';

/** What etcd takes in one request (etcd docs, "System limits": `--max-request-bytes`). */
const MOST_BYTES = 1.5 * 1024 * 1024;

/** Every object can be stored. */
export const objectSize: Rule = {
  name: 'every object fits into a request to etcd',
  check: (output) =>
    output.own
      .map((object) => ({ object, bytes: Buffer.byteLength(JSON.stringify(object)) }))
      .filter(({ bytes }) => bytes > MOST_BYTES)
      .map(
        ({ object, bytes }) =>
          `${nameOf(object)}: has ${bytes} bytes, but etcd takes at most ${MOST_BYTES}; move long texts into files of ` +
          'the image or a volume',
      ),
};
