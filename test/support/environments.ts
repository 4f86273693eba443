import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'cdk8s';
import { Environment } from '../../charts/environments/environment';
import { RagPlatform, type RagPlatformProps } from '../../charts/rag-platform';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import type { ManifestObject } from '../../constructs/rules/output';
import { FILES } from '../environments/files';
import { OPERATED, withDataServices } from '../environments/operated';
import { PGVECTOR } from '../environments/pgvector';
import { TRITON } from '../environments/triton';

/** An environment as tests look at it. */
export interface TestedEnvironment {
  readonly name: string;
  readonly app: App;
  readonly platform: RagPlatform;
  readonly objects: ManifestObject[];
  readonly files: ReadonlyMap<string, string>;
  /** Renders the same once more. */
  readonly again: () => TestedEnvironment;
}

const SHIPPED = resolve(__dirname, '..', '..', 'charts', 'environments');
const EXAMPLES = resolve(__dirname, '..', '..', 'examples', 'environments');
const ODD = resolve(__dirname, '..', 'environments');

/** Renders an environment file in memory. */
export function renderFile(path: string): TestedEnvironment {
  const environment = Environment.read(path);
  const platforms: RagPlatform[] = [];
  const { objects, files } = environment.render(environment.name, (platform) => platforms.push(platform));
  const [platform] = platforms as [RagPlatform];
  const again = () => renderFile(path);
  return { name: environment.name, app: App.of(platform), platform, objects, files, again };
}

/** Renders an environment that only code can describe. */
function renderCode(
  name: string,
  props: RagPlatformProps,
  extend: (platform: RagPlatform) => void = () => {},
): TestedEnvironment {
  const app = new App();
  const platform = new RagPlatform(app, 'rag', props);
  extend(platform);
  const { objects, files } = new RenderedEnvironment(app, name);
  return { name, app, platform, objects, files, again: () => renderCode(name, props, extend) };
}

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('_'))
    .sort()
    .map((file) => join(directory, file));
}

/** The environments that the repository ships, its examples, and some that are unlike them. */
export const ENVIRONMENTS: TestedEnvironment[] = [
  ...[...filesIn(SHIPPED), ...filesIn(EXAMPLES), ...filesIn(ODD)].map(renderFile),
  renderCode('files', FILES),
  renderCode('operated', OPERATED, withDataServices),
  renderCode('pgvector', PGVECTOR),
  renderCode('triton', TRITON),
];

/** The same as rows of a table of tests. */
export const EACH_ENVIRONMENT = ENVIRONMENTS.map((environment): [string, TestedEnvironment] => [
  environment.name,
  environment,
]);
