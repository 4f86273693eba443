// Renders one environment again and again in one process, and prints the milliseconds of each run.
import { App } from 'cdk8s';
import { Environment } from '../charts/environments/environment';
import { RenderedEnvironment } from '../charts/rendered-environment';

const RUNS = 30;
const times = Array.from({ length: RUNS }, () => {
  const started = performance.now();
  const environment = Environment.read('charts/environments/production.yaml');
  const app = new App();
  environment.createPlatform(app);
  const { files } = new RenderedEnvironment(app, environment.name);
  return files.size > 0 ? performance.now() - started : Number.NaN;
});
console.log(JSON.stringify(times.slice(RUNS / 3)));
