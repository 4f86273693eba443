import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

/** Namespace of the chart that a construct is in; every object of this library is in one. */
export function chartNamespace(scope: IConstruct): string {
  const { namespace, node } = Chart.of(scope);
  if (namespace === undefined) {
    throw new UsageError('is missing; give the chart one: new Chart(app, id, { namespace })', {
      scope,
      property: `namespace of chart "${node.id}"`,
    });
  }
  return namespace;
}
