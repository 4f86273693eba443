import { App, Chart } from 'cdk8s';
import { Cluster, type ClusterProps } from '../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../constructs/rules/output';

/** A chart in the namespace "test", for a cluster of which only the given facts are known. */
export function testChart(cluster: ClusterProps = {}): Chart {
  const chart = new Chart(new App(), 'rag', { namespace: 'test' });
  new Cluster(cluster).attachTo(chart);
  return chart;
}

/** Everything that a chart renders; its validations, the rules among them, must hold. */
export function render(chart: Chart): ManifestObject[] {
  return chart.toJson();
}

/** The object of this kind and name; a test that asks for one that is not there fails. */
export function find(objects: ManifestObject[], kind: string, name: string): ManifestObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) {
    const names = objects.map((object) => `${object.kind}/${object.metadata.name}`).join(', ');
    throw new Error(`there is no ${kind}/${name} among ${names}`);
  }
  return found;
}

/** Names of the objects of a kind. */
export function namesOf(objects: ManifestObject[], kind: string): string[] {
  return objects.filter((object) => object.kind === kind).map((object) => object.metadata.name);
}

/** The pod template of a workload. */
export function templateOf(object: ManifestObject): Json {
  return object.kind === 'CronJob' ? object.spec.jobTemplate.spec.template : object.spec.template;
}

/** The main container of a workload. */
export function mainContainer(object: ManifestObject): Json {
  return templateOf(object).spec.containers[0];
}

/** The value of a variable of the main container: its text, or what it refers to. */
export function env(object: ManifestObject, name: string): Json {
  const variable = mainContainer(object).env?.find((candidate: Json) => candidate.name === name);
  return variable?.value ?? variable?.valueFrom;
}
