import { CREDENTIAL_FORMS } from './credential-forms';
import { type Json, type ManifestObject, nameOf, type Output, renderedPods } from './output';
import type { Rule } from './rule';

/**
 * Names that belong to credentials. Anchored at the end, so that the vocabulary of language models
 * (`MAX_BATCH_TOKENS`, `TOKENIZER`, `PASSAGE_PREFIX`) does not match; names of files and addresses
 * (`API_KEY_FILE`, `TOKEN_URL`) do not either.
 */
const CREDENTIAL_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|_PWD|CLI_AUTH|(^|[_-])(PASS|SECRET|TOKEN|API[_-]?KEY|ACCESS[_-]KEY|ACCOUNT[_-]KEY|SECRET[_-]KEY|PRIVATE[_-]KEY|ENCRYPTION[_-]KEY|SIGNING[_-]KEY|CREDENTIALS?))$/i;

/** Tokens of a language model's vocabulary, which are no credentials. */
const VOCABULARY =
  /(^|[_-])(BOS|EOS|PAD|MASK|SEP|CLS|UNK|START|STOP|END|BEGIN|IMAGE|AUDIO|VIDEO|SPECIAL|SENTINEL|PREFIX|SUFFIX|MIDDLE|QUERY|DOCUMENT|PASSAGE|SYSTEM|USER|ASSISTANT|TOOL|CALL|THINK|NEWLINE)[_-]TOKEN$/i;

/** What a model's token looks like whatever it is called: `</s>`, `<|endoftext|>`, `[PAD]`. */
const MODEL_TOKEN = /^(<[^<>\s]{1,64}>|\[[A-Z_]{1,32}\])$/;

/** A variable that says where a file is, whatever it is called (google-auth docs, "google.auth.environment_vars"). */
const FILE_NAME = /^GOOGLE_APPLICATION_CREDENTIALS$/;
const FILE_PATH = /^\/[\w./-]{1,4095}$/;

/** Numbers and switches are settings whatever they are called, and whoever has nothing but a reference has no value. */
const HARMLESS = /^(|true|false|null|none|[\d.]+|\$\([A-Za-z_]\w*\)|\$\{[A-Za-z_]\w*\})$/i;

/** What else stands in files for a value from elsewhere: placeholders, paths, anchors, beginnings of maps and blocks. */
const ELSEWHERE = /^(\$|\{|\[|%\(|<|>|\||~|!|&|\*|\/|file:|env[.:]|os\.environ)/;

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

/** A value with its name, and what it is to its object. */
type Named = [what: string, name: string, value: unknown];

/** Values that their names give away. */
function named(object: ManifestObject): string[] {
  const inTriggers: Json[] = object.kind === 'ScaledObject' ? (object.spec.triggers ?? []) : [];
  const values: Named[] = [
    ...renderedPods(object).flatMap((pods) => pods.containers.flatMap(inContainer)),
    ...Object.entries<string>(object.kind === 'ConfigMap' ? (object.data ?? {}) : {}).flatMap(inEntry),
    ...inTriggers.flatMap(({ metadata }) =>
      Object.entries(metadata ?? {}).map(([name, value]): Named => ['has the trigger setting', name, value]),
    ),
    ...inAnnotations(object),
  ];
  return values
    .filter(([, name, value]) => isCredential(name, value))
    .map(([what, name]) => `${nameOf(object)}: ${what} ${name} with a value; refer to the key of a Secret instead`);
}

function inContainer(container: Json): Named[] {
  const has = `container ${container.name} has the`;
  return [
    ...(container.env ?? []).map(({ name, value }: Json): Named => [`${has} variable`, name, value]),
    ...options(container).map(([name, value]): Named => [`${has} option`, name, value]),
    ...assignments(container).map(([name, value]): Named => [`${has} assignment`, name, value]),
  ];
}

/** A name at the end of which stands what it is: `acme.example/api-key`, `spring.datasource.password`. */
function lastPartOf(name: string): string {
  return name.split(/[./]/).at(-1) ?? name;
}

/** Annotations, of which those that end in "secret" name an object: `auth-tls-secret: namespace/name`. */
function inAnnotations(object: ManifestObject): Named[] {
  const ofPods = renderedPods(object).map(({ annotations }) => annotations);
  return [object.metadata.annotations ?? {}, ...ofPods]
    .flatMap((annotations) => Object.entries(annotations))
    .filter(([name, value]) => !(/secret$/i.test(name) && OBJECT_NAME.test(value)))
    .map(([name, value]): Named => ['has the annotation', name, value]);
}

const OBJECT_NAME = /^([a-z0-9-]{1,63}\/)?[a-z0-9][a-z0-9.-]{0,252}$/;

/** Programs and prose, in which a name before a value says little. */
const PROGRAM = /\.(sh|mjs|cjs|js|ts|py|sql|lua|md|txt|html|j2|jinja|tmpl)$/i;

/** A name, "=" or ":", and a value in quotes or without, of which a file has as many as it likes in a line. */
const SETTING =
  /(?<![\w.$-])["']?([A-Za-z_][\w.-]{0,127})["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"',;}\]]+))/g;

/** An entry of a ConfigMap: a value by itself, or a file of settings. */
function inEntry([entry, text]: [string, string]): Named[] {
  const settings = PROGRAM.test(entry) ? [] : [...text.matchAll(SETTING)];
  return [
    ['has the entry', entry, text],
    ...settings
      .map(([, name = '', double, single, bare]): [string, string] => [name, double ?? single ?? bare ?? ''])
      // What has spaces is prose, and a Secret may be referred to by its name.
      .filter(([name, value]) => !/\s/.test(value) && !(name === 'secret' && OBJECT_NAME.test(value)))
      .filter(([, value]) => !ELSEWHERE.test(value))
      .map(([name, value]): Named => [`has in ${entry} the setting`, name, value]),
  ];
}

/** Variables that a command line sets for itself: `sh -c 'TOKEN=x serve'`. */
function assignments({ command = [], args = [] }: Json): [string, string][] {
  const words: string[] = [...command, ...args].map(String);
  return words.flatMap((word) =>
    [...word.matchAll(/(?<=[\s;&|])([A-Z_][A-Z0-9_]{0,127})=["']?([^\s;&|"'$]+)/g)].map(
      ([, name = '', value = '']): [string, string] => [name, value],
    ),
  );
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
  const words = lastPartOf(name).replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2');
  return (
    typeof value === 'string' &&
    CREDENTIAL_NAME.test(words) &&
    !VOCABULARY.test(words) &&
    !(/TOKEN$/i.test(words) && MODEL_TOKEN.test(value)) &&
    !(FILE_NAME.test(name) && FILE_PATH.test(value)) &&
    !HARMLESS.test(value)
  );
}

/** Values that their form gives away, wherever they stand. */
function formed(object: ManifestObject): string[] {
  return texts(object).flatMap(([path, text]) =>
    CREDENTIAL_FORMS.filter(([, form]) => form.test(text)).map(
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
