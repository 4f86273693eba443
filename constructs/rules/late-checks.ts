import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

/** Refuses something by throwing a {@link UsageError}. */
export type Check = () => void;

const CHECKS = Symbol.for('cdk8s-rag.LateChecks');

/**
 * Checks that can be made only when everything has been added. They are validations, so that one mistake hides no
 * other, whoever synthesizes the app; the mistakes themselves can be had as well, each with its construct and property.
 */
export class LateChecks {
  /** The checks of the app that this construct belongs to. */
  public static of(scope: IConstruct): LateChecks {
    const root = scope.node.root as IConstruct & { [CHECKS]?: LateChecks };
    root[CHECKS] ??= new LateChecks();
    return root[CHECKS];
  }

  private readonly checks: (() => Check[])[] = [];

  private constructor() {}

  /** Has these checks made whenever the app of this construct is validated. */
  public add(scope: IConstruct, checks: () => Check[]): void {
    scope.node.addValidation({ validate: () => refusalsOf(checks()).map(({ message }) => message) });
    this.checks.push(checks);
  }

  /** Everything that the checks refuse as things stand. */
  public get mistakes(): UsageError[] {
    return this.checks.flatMap((checks) => refusalsOf(checks()));
  }
}

function refusalsOf(checks: Check[]): UsageError[] {
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof UsageError) {
        return [error];
      }
      throw error;
    }
  });
}
