import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

/** A name of at most 63 characters, after a domain and "/" or without (Kubernetes docs, "Labels and Selectors"). */
const NAME = '[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?';
const DOMAIN = '(?=[^/]{1,253}/)([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?/';
const KEY = new RegExp(`^(${DOMAIN})?${NAME}$`);
const VALUE = new RegExp(`^(${NAME})?$`);

/** Whether a label can have a value. */
export function isLabelValue(value: string): boolean {
  return VALUE.test(value);
}

/** Whether a label, an annotation or a taint can have a key. */
export function isLabelKey(key: string): boolean {
  return KEY.test(key);
}

/** Refuses labels that the API server would refuse. */
export function checkLabels(
  scope: IConstruct | undefined,
  property: string,
  labels: { readonly [key: string]: string },
): void {
  checkKeys(scope, property, labels);
  for (const [key, value] of Object.entries(labels)) {
    checkLabelValue(scope, `${property}.${key}`, value);
  }
}

/** Refuses what no label and no taint can have as its value. */
export function checkLabelValue(scope: IConstruct | undefined, property: string, value: string): void {
  if (!isLabelValue(value)) {
    throw new UsageError(
      `is "${value}", but the value of a label has at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`,
      { scope, property },
    );
  }
}

/** Room for all annotations of an object together, keys and values (Kubernetes, apimachinery, TotalAnnotationSizeLimitB). */
const MOST_ANNOTATION_BYTES = 256 * 1024;

/** Refuses annotations that the API server would refuse; their values may be anything. */
export function checkAnnotations(
  scope: IConstruct | undefined,
  property: string,
  annotations: { readonly [key: string]: string },
): void {
  checkKeys(scope, property, annotations);
  const bytes = Buffer.byteLength(Object.entries(annotations).flat().join(''));
  if (bytes > MOST_ANNOTATION_BYTES) {
    throw new UsageError(`has ${bytes} bytes, but an object has room for ${MOST_ANNOTATION_BYTES}; shorten it`, {
      scope,
      property,
    });
  }
}

function checkKeys(scope: IConstruct | undefined, property: string, map: { readonly [key: string]: string }): void {
  const wrong = Object.keys(map).find((key) => !isLabelKey(key));
  if (wrong !== undefined) {
    throw new UsageError(
      `has the key "${wrong}", but a key has at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, after a domain and "/" or without`,
      { scope, property },
    );
  }
}
