// The floor of the benchmark: Node, cdk8s and cdk8s-plus-28, and the same objects written by cdk8s alone.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { ApiObject, App, Chart, YamlOutputType } = require('cdk8s');
require('cdk8s-plus-28');

const [, , input, output] = process.argv;
for (const [environment, objects] of Object.entries(JSON.parse(readFileSync(input, 'utf8')))) {
  const app = new App({ outdir: join(output, environment), yamlOutputType: YamlOutputType.FILE_PER_RESOURCE });
  const chart = new Chart(app, 'rag');
  for (const [index, object] of objects.entries()) {
    new ApiObject(chart, `object-${index}`, object);
  }
  app.synth();
}
