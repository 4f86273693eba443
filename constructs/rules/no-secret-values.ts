import { type Json, type ManifestObject, nameOf, type Output, renderedPods } from './output';
import type { Rule } from './rule';

/**
 * Names that belong to credentials. Anchored at the end, so that the vocabulary of language models
 * (`MAX_BATCH_TOKENS`, `TOKENIZER`, `PASSAGE_PREFIX`) does not match; names of files and addresses
 * (`API_KEY_FILE`, `TOKEN_URL`) do not either.
 */
const CREDENTIAL_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|_PWD|CLI_AUTH|(^|[_-])(PASS|SECRET|TOKEN|API[_-]?KEY|ACCESS[_-]KEY|SECRET[_-]KEY|PRIVATE[_-]KEY|ENCRYPTION[_-]KEY|CREDENTIALS?))$/i;

/** Tokens of a language model's vocabulary, which are no credentials. */
const VOCABULARY = /(^|_)(BOS|EOS|PAD|MASK|SEP|CLS|UNK|START|STOP|END|IMAGE|SPECIAL)_TOKEN$/i;

/**
 * Forms of credentials that give themselves away whatever the variable is called. Each begins where it can begin
 * only once, and every repetition is bounded, so that the time to judge a text grows with its length and no faster.
 */
const CREDENTIAL_VALUES: readonly [string, RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ['a URL with a password', /(?<=[a-z0-9+.-]):\/\/[^/\s:@]{0,255}:(?!\$\()[^@\s/]{1,8192}@/i],
  ['an AWS access key', /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a GitHub token', /\b(ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{20,}\b/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{20,}\b/],
  ['an OpenAI or Anthropic key', /\bsk-[A-Za-z0-9_-]{20,}\b/],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a JSON web token', /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,16384}\./],
];

/** No value of a secret is in the output; pods get them by reference. */
export const noSecretValues: Rule = {
  name: 'no secret value is in the output',
  check: (output: Output) =>
    output.own.flatMap((object) => [...secretObject(object), ...named(object), ...formed(object)]),
};

function secretObject(object: ManifestObject): string[] {
  const filled = object.kind === 'Secret' && (object.data !== undefined || object.stringData !== undefined);
  return filled
    ? [`${nameOf(object)}: holds values; refer to a Secret that exists, or create it with ExternalSecrets`]
    : [];
}

/** Values that their names give away: of variables, options, entries of ConfigMaps, and settings of triggers. */
function named(object: ManifestObject): string[] {
  const containers = renderedPods(object).flatMap((pods) => pods.containers);
  const triggers: Json[] = object.kind === 'ScaledObject' ? (object.spec.triggers ?? []) : [];
  const values: [string, string, unknown][] = [
    ...containers.flatMap((container) => [
      ...(container.env ?? []).map(({ name, value }: Json) => [
        `container ${container.name} has the variable`,
        name,
        value,
      ]),
      ...options(container).map(([name, value]) => [`container ${container.name} has the option`, name, value]),
    ]),
    ...Object.entries(object.kind === 'ConfigMap' ? (object.data ?? {}) : {}).map(([name, value]) => [
      'has the entry',
      name,
      value,
    ]),
    ...triggers.flatMap(({ metadata }) =>
      Object.entries(metadata ?? {}).map(([name, value]) => ['has the trigger setting', name, value]),
    ),
  ] as [string, string, unknown][];
  return values
    .filter(([, name, value]) => isCredential(name, value))
    .map(([what, name]) => `${nameOf(object)}: ${what} ${name} with a value; refer to the key of a Secret instead`);
}

/** Options of a command line with their values: `--api-key=x`, `--api-key x`. */
function options({ command = [], args = [] }: Json): [string, string | undefined][] {
  const words: string[] = [...command, ...args].map(String);
  return words.flatMap((word, index): [string, string | undefined][] => {
    const [, name, value] = /^--?([\w-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const next = words[index + 1];
    return name === undefined ? [] : [[name, value ?? (next?.startsWith('-') ? undefined : next)]];
  });
}

function isCredential(name: string, value: unknown): boolean {
  // Numbers and switches are settings whatever they are called; a value of $(…) only is a reference.
  const plain = /^(|true|false|[\d.]+|\$\([A-Za-z_]\w*\))$/i;
  return typeof value === 'string' && CREDENTIAL_NAME.test(name) && !VOCABULARY.test(name) && !plain.test(value);
}

/** Values that their form gives away, wherever they stand. */
function formed(object: ManifestObject): string[] {
  return texts(object).flatMap(([path, text]) =>
    CREDENTIAL_VALUES.filter(([, form]) => form.test(text)).map(
      ([what]) => `${nameOf(object)}: ${path} looks like ${what}; refer to the key of a Secret instead`,
    ),
  );
}

/** Every text in an object, with the path to it. */
function texts(value: Json, path = ''): [string, string][] {
  if (typeof value === 'string') {
    return [[path, value]];
  }
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, child]) => texts(child, path === '' ? key : `${path}.${key}`))
    : [];
}
