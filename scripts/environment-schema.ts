// Writes the JSON Schema of environment files, which editors read.
import { writeFileSync } from 'node:fs';
import { environmentJsonSchema } from '../charts/environments/environment-json-schema';

writeFileSync(
  'charts/environments/environment.schema.json',
  `${JSON.stringify(environmentJsonSchema(), undefined, 2)}\n`,
);
