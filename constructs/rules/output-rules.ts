import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { canonicalForm } from './canonical-form';
import { drainChain } from './drain-chain';
import { ExternalReferences } from './external-references';
import { identity } from './identity';
import { imagesPinned } from './images-pinned';
import { networkIsolation } from './network-isolation';
import { noSecretValues } from './no-secret-values';
import { objectSize } from './object-size';
import { type ManifestObject, Output, RenderedObjects } from './output';
import { podSecurityRestricted } from './pod-security-restricted';
import { referencesResolve } from './references-resolve';
import { replicaOwnership } from './replica-ownership';
import { resourcesStated } from './resources-stated';
import type { Rule } from './rule';
import { secretMakers } from './secret-makers';
import { wellFormedText } from './well-formed-text';

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
  objectSize,
  secretMakers,
  wellFormedText,
];

const ATTACHED = Symbol.for('cdk8s-rag.OutputRules');

/**
 * Holds what this library renders to its promises, whoever synthesizes the chart: it is one of the chart's
 * validations. Other objects of the chart are not judged; references may lead to them.
 */
export class OutputRules {
  /** Puts the objects below a construct under the rules. */
  public static attach(scope: IConstruct): void {
    OutputRules.of(scope).own(scope);
  }

  /** Adds a rule for the app that this construct belongs to; one that is there already is not added again. */
  public static add(scope: IConstruct, rule: Rule): void {
    OutputRules.of(scope).rules.add(rule);
  }

  /**
   * The objects as they were judged in the last validation of the app, so that who writes them need not render them
   * again; without those that came later.
   */
  public static judged(scope: IConstruct): ReadonlyMap<ApiObject, ManifestObject> {
    return OutputRules.of(scope).rendered;
  }

  private static of(scope: IConstruct): OutputRules {
    const root = scope.node.root as IConstruct & { [ATTACHED]?: OutputRules };
    root[ATTACHED] ??= new OutputRules(root);
    return root[ATTACHED];
  }

  private readonly rules = new Set(RULES);
  private readonly owners = new Map<Chart, Set<IConstruct>>();
  private rendered: ReadonlyMap<ApiObject, ManifestObject> = new Map();

  /**
   * What the charts break, until each has said so. cdk8s validates the whole app, from its root down, for every
   * chart that it renders: if every chart rendered the objects of all of them again, the work would grow with the
   * cube of their number.
   */
  private problems = new Map<Chart, string[]>();

  private constructor(private readonly root: IConstruct) {
    root.node.addValidation({
      validate: () => {
        this.problems = this.judge();
        return [];
      },
    });
  }

  private own(scope: IConstruct): void {
    const chart = Chart.of(scope);
    const owners = this.owners.get(chart) ?? new Set();
    if (!this.owners.has(chart)) {
      this.owners.set(chart, owners);
      chart.node.addValidation({ validate: () => this.problemsOf(chart) });
    }
    owners.add(scope);
  }

  private problemsOf(chart: Chart): string[] {
    const problems = this.problems.get(chart) ?? this.judge().get(chart) ?? [];
    this.problems.delete(chart);
    return problems;
  }

  private judge(): Map<Chart, string[]> {
    const objects = this.root.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
    const rendered = new Map<ApiObject, ManifestObject>(objects.map((object) => [object, object.toJson()]));
    this.rendered = rendered;
    const all = new RenderedObjects([...rendered.values()]);
    const external = ExternalReferences.of(this.root);
    return new Map(
      [...this.owners].map(([chart, owners]) => {
        const own = [...rendered].filter(([object]) => object.chart === chart && isBelow(object, owners));
        const output = new Output(
          all,
          own.map(([, json]) => json),
          external,
        );
        return [chart, [...this.rules].flatMap((rule) => rule.check(output))];
      }),
    );
  }
}

function isBelow(object: ApiObject, owners: ReadonlySet<IConstruct>): boolean {
  return object.node.scopes.some((ancestor) => owners.has(ancestor));
}
