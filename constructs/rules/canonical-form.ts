import { type Json, nameOf } from './output';
import type { Rule } from './rule';

/** Fields that hold quantities, by the name of the map or field. */
const QUANTITY_MAPS = ['requests', 'limits', 'hard', 'capacity'];
const QUANTITY_FIELDS = ['sizeLimit', 'averageValue'];

const BINARY = /^(\d+)(Ki|Mi|Gi|Ti|Pi)$/;

/** Values are written as the API server writes them back, so a synced application shows no difference. */
export const canonicalForm: Rule = {
  name: 'values are written as they are read back',
  check: (output) =>
    output.own.flatMap((object) =>
      quantities(object)
        .filter(([, value]) => !isCanonical(value))
        .map(
          ([path, value]) =>
            `${nameOf(object)}: ${path} is ${JSON.stringify(value)}, which the API server writes otherwise; write it in the largest unit in which it is whole: 1Gi for 1024Mi, 2 for 2000m`,
        ),
    ),
};

function quantities(value: Json, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const at = path === '' ? key : `${path}.${key}`;
    if (QUANTITY_MAPS.includes(key) && isMap(child)) {
      return Object.entries(child).map(([name, quantity]) => [`${at}.${name}`, quantity]);
    }
    return QUANTITY_FIELDS.includes(key) ? [[at, child]] : quantities(child, at);
  });
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whole numbers, thousandths that are no whole number, and the largest binary unit that is whole. */
function isCanonical(value: unknown): boolean {
  const text = String(value);
  if (typeof value !== 'string') {
    return false;
  }
  const binary = BINARY.exec(text);
  if (binary !== null) {
    return Number(binary[1]) % 1024 !== 0;
  }
  return text === '0' || (/^[1-9]\d*[mkMGT]?$/.test(text) && !/000[mkMGT]?$/.test(text));
}
