import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'cdk8s';
import { Environment } from '../../charts/environments/environment';
import type { RagPlatform } from '../../charts/rag-platform';
import type { ManifestObject } from '../../constructs/rules/output';

/** An environment as tests look at it. */
export interface TestedEnvironment {
  readonly name: string;
  readonly app: App;
  readonly platform: RagPlatform;
  readonly objects: ManifestObject[];
  readonly files: Map<string, string>;
}

const SHIPPED = resolve(__dirname, '..', '..', 'charts', 'environments');
const ODD = resolve(__dirname, '..', 'environments');

/** Renders an environment file in memory. */
export function renderFile(path: string): TestedEnvironment {
  const environment = Environment.read(path);
  const platforms: RagPlatform[] = [];
  const { objects, files } = environment.render(environment.name, (platform) => platforms.push(platform));
  const [platform] = platforms as [RagPlatform];
  return { name: environment.name, app: App.of(platform), platform, objects, files };
}

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('_'))
    .sort()
    .map((file) => join(directory, file));
}

/** The environments that the repository ships, and some that are unlike them. */
export const ENVIRONMENTS: TestedEnvironment[] = [...filesIn(SHIPPED), ...filesIn(ODD)].map(renderFile);

/** The same as rows of a table of tests. */
export const EACH_ENVIRONMENT = ENVIRONMENTS.map((environment): [string, TestedEnvironment] => [
  environment.name,
  environment,
]);
