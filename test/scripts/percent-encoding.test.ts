import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ExternalSecrets } from '../../constructs/secrets/external-secrets';
import { SecretStore } from '../../constructs/secrets/secret-store';
import { find, render, testChart } from '../support/manifests';
import { isInstalled } from '../support/programs';

/** Fills a template as External Secrets does: from a map of texts, where a missing key is a mistake, with "replace" of sprig. */
const PROGRAM = `package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

func main() {
	var input struct {
		Template string
		Values   []map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		panic(err)
	}
	functions := template.FuncMap{"replace": func(old, new, text string) string { return strings.ReplaceAll(text, old, new) }}
	parsed := template.Must(template.New("").Option("missingkey=error").Funcs(functions).Parse(input.Template))
	results := []string{}
	for _, value := range input.Values {
		var filled bytes.Buffer
		if err := parsed.Execute(&filled, value); err != nil {
			panic(err)
		}
		results = append(results, filled.String())
	}
	json.NewEncoder(os.Stdout).Encode(results)
}
`;

const folder = mkdtempSync(join(tmpdir(), 'percent-encoding-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the template of a key makes of values. */
function encoded(key: string, values: string[]): string[] {
  const chart = testChart();
  new ExternalSecrets(SecretStore.existing('acme')).key('queue', key)._inUrl._bind(chart);
  const { template } = find(render(chart), 'ExternalSecret', 'queue').spec.target;
  const file = join(folder, 'main.go');
  writeFileSync(file, PROGRAM);
  const input = JSON.stringify({
    Template: template.data[`${key}.urlencoded`],
    Values: values.map((value) => ({ [key]: value })),
  });
  const { status, stdout, stderr } = spawnSync('go', ['run', file], { input, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

// The first run compiles Go's own packages.
jest.setTimeout(120_000);

(isInstalled('go') ? describe : describe.skip)('what the template of a key makes of a password', () => {
  test('is the password itself, where that needs no escaping', () => {
    expect(encoded('password', ['aB3-_', ''])).toEqual(['aB3-_', '']);
  });

  test('is the password that readers of a URL find, whatever is in it', () => {
    const passwords = fc.sample(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), {
      numRuns: 300,
      seed: 1,
    });
    const all = [...passwords, 'a b+c', '%41', '@:/?#[]', '$(HOME)', `"'\\\n`];
    const results = encoded('api-key', all);
    expect(results.map(decodeURIComponent)).toEqual(all);
    for (const [index, result] of results.entries()) {
      const { username, password, host, pathname } = new URL(`redis://rag:${result}@queue:6379/0`);
      expect([username, decodeURIComponent(password), host, pathname]).toEqual(['rag', all[index], 'queue:6379', '/0']);
    }
  });
});
