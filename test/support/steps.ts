import type { Chart } from 'cdk8s';
import { ChangeRules } from '../../constructs/rules/change-rules';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { find, render } from './manifests';

/** What is wrong with the step from some objects to others, by the rules of the app that a chart belongs to. */
export function problemsOfStep(
  before: readonly ManifestObject[],
  chart: Chart,
  after: readonly ManifestObject[] = render(chart),
): string[] {
  return ChangeRules.of(chart).check(before, after);
}

/** The same objects with a change to one of them, as if made by hand. */
export function changed(
  objects: readonly ManifestObject[],
  kind: string,
  name: string,
  change: (object: Json) => void,
): ManifestObject[] {
  const copy: ManifestObject[] = JSON.parse(JSON.stringify(objects));
  change(find(copy, kind, name));
  return copy;
}
