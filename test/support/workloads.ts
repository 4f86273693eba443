import type { ClusterProps } from '../../constructs/placement/cluster';
import type { Json } from '../../constructs/rules/output';
import type { MainContainerProps } from '../../constructs/workload/container';
import { Deployment, type DeploymentProps } from '../../constructs/workload/deployment';
import { find, mainContainer, render, templateOf, testChart } from './manifests';
import { IMAGE, RESOURCES } from './values';

/** The smallest main container. */
export const CONTAINER: MainContainerProps = { image: IMAGE, resources: RESOURCES };

/** A Deployment "api" in a chart of its own, and what it renders to at the time of asking. */
export function deployed(props: Partial<DeploymentProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const construct = new Deployment(chart, 'api', { component: 'api', container: CONTAINER, ...props });
  const objects = () => render(chart);
  const object = () => find(objects(), 'Deployment', 'api');
  return { chart, construct, objects, object, template: () => templateOf(object()) };
}

/** The main container of a Deployment, with these fields besides the smallest ones. */
export function containerWith(container: Partial<MainContainerProps>, cluster: ClusterProps = {}): Json {
  return mainContainer(deployed({ container: { ...CONTAINER, ...container } }, cluster).object());
}
