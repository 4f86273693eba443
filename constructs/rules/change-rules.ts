import type { IConstruct } from 'constructs';
import { autoscalersTakeTurns, replicasAreHandedOver } from './autoscaler-changes';
import type { ChangeRule } from './change-rule';
import { dataStays } from './data-stays';
import { immutableFields } from './immutable-fields';
import type { ManifestObject } from './output';

const RULES = Symbol.for('cdk8s-rag.ChangeRules');

/**
 * What an app asks of the step from its last render to this one. Some changes are fine in the manifest and
 * cannot be applied, or lose data when they are; only the comparison shows it.
 */
export class ChangeRules {
  /** The rules of the app that this construct belongs to. */
  public static of(scope: IConstruct): ChangeRules {
    const root = scope.node.root as IConstruct & { [RULES]?: ChangeRules };
    root[RULES] ??= new ChangeRules();
    return root[RULES];
  }

  /** What holds in every app. */
  private readonly rules = new Set<ChangeRule>([
    immutableFields,
    dataStays,
    autoscalersTakeTurns,
    replicasAreHandedOver,
  ]);

  private constructor() {}

  /** Adds a rule; one that is there already is not added again. */
  public add(rule: ChangeRule): void {
    this.rules.add(rule);
  }

  /** Everything that the change would break; nothing when there was no last render. */
  public check(before: readonly ManifestObject[], after: readonly ManifestObject[]): string[] {
    return [...this.rules].flatMap((rule) => rule.check(before, after));
  }

  /** What the change costs, though it can be applied. */
  public warn(before: readonly ManifestObject[], after: readonly ManifestObject[]): string[] {
    return [...this.rules].flatMap((rule) => rule.warn?.(before, after) ?? []);
  }
}
