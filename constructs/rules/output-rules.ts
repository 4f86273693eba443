import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { canonicalForm } from './canonical-form';
import { drainChain } from './drain-chain';
import { ExternalReferences } from './external-references';
import { identity } from './identity';
import { imagesPinned } from './images-pinned';
import { networkIsolation } from './network-isolation';
import { noSecretValues } from './no-secret-values';
import { type ManifestObject, Output } from './output';
import { podSecurityRestricted } from './pod-security-restricted';
import { referencesResolve } from './references-resolve';
import { replicaOwnership } from './replica-ownership';
import { resourcesStated } from './resources-stated';
import type { Rule } from './rule';

const RULES: readonly Rule[] = [
  identity,
  podSecurityRestricted,
  replicaOwnership,
  resourcesStated,
  networkIsolation,
  noSecretValues,
  referencesResolve,
  drainChain,
  imagesPinned,
  canonicalForm,
];

const ATTACHED = Symbol.for('cdk8s-rag.OutputRules');

/**
 * Holds what this library renders to its promises, whoever synthesizes the chart: it is one of the chart's
 * validations. Other objects of the chart are not judged; references may lead to them.
 */
export class OutputRules {
  /** Puts the objects below a construct under the rules. */
  public static attach(scope: IConstruct): void {
    const chart: Chart & { [ATTACHED]?: IConstruct[] } = Chart.of(scope);
    if (chart[ATTACHED] === undefined) {
      const owners: IConstruct[] = [];
      chart[ATTACHED] = owners;
      chart.node.addValidation({ validate: () => check(chart, owners) });
    }
    chart[ATTACHED].push(scope);
  }

  private constructor() {}
}

function check(chart: Chart, owners: IConstruct[]): string[] {
  const objects = chart.node.root.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
  const rendered = new Map<ApiObject, ManifestObject>(objects.map((object) => [object, object.toJson()]));
  const inChart = objects.filter((object) => object.chart === chart);
  const own = inChart.filter((object) => object.node.scopes.some((ancestor) => owners.includes(ancestor)));
  const jsonOf = (some: ApiObject[]) => some.map((object) => rendered.get(object) as ManifestObject);
  const output = new Output(jsonOf(objects), jsonOf(inChart), jsonOf(own), ExternalReferences.of(chart));
  return RULES.flatMap((rule) => rule.check(output));
}
