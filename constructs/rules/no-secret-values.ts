import { type Json, type ManifestObject, nameOf, type Output, type RenderedPods } from './output';
import type { Rule } from './rule';

/**
 * Names of variables that hold credentials. Anchored at the end, so that the vocabulary of language models
 * (`MAX_BATCH_TOKENS`, `TOKENIZER`, `PASSAGE_PREFIX`) does not match; names of files and addresses
 * (`API_KEY_FILE`, `TOKEN_URL`) do not either.
 */
const CREDENTIAL_NAME =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|ENCRYPTION_KEY|CREDENTIALS?)$/i;

/** Forms of credentials that give themselves away whatever the variable is called. */
const CREDENTIAL_VALUES: readonly [string, RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a URL with a password', /[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:(?!\$\()[^@\s/]+@/i],
  ['an AWS access key', /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a GitHub token', /\b(ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{20,}\b/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{20,}\b/],
  ['an OpenAI or Anthropic key', /\bsk-[A-Za-z0-9_-]{20,}\b/],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./],
];

/** No value of a secret is in the output; pods get them by reference. */
export const noSecretValues: Rule = {
  name: 'no secret value is in the output',
  check: (output: Output) => [
    ...output.own.flatMap((object) => [...secretObject(object), ...configMap(object)]),
    ...output.ownPods.flatMap((pods) => containers(pods)),
  ],
};

function secretObject(object: ManifestObject): string[] {
  const filled = object.kind === 'Secret' && (object.data !== undefined || object.stringData !== undefined);
  return filled
    ? [`${nameOf(object)}: holds values; refer to a Secret that exists, or create it with ExternalSecrets`]
    : [];
}

function configMap(object: ManifestObject): string[] {
  return object.kind === 'ConfigMap'
    ? Object.entries<string>(object.data ?? {}).flatMap(([key, text]) => found(text, `${nameOf(object)}: data.${key}`))
    : [];
}

function containers({ owner, containers: all }: RenderedPods): string[] {
  return all.flatMap((container: Json) => {
    const at = `${nameOf(owner)}: container ${container.name}`;
    const env: { name: string; value?: string }[] = container.env ?? [];
    return [
      ...env.flatMap(({ name, value }) => variable(name, value, at)),
      ...[...(container.command ?? []), ...(container.args ?? [])].flatMap((text) =>
        found(String(text), `${at} argument`),
      ),
    ];
  });
}

function variable(name: string, value: string | undefined, at: string): string[] {
  if (value === undefined) {
    return [];
  }
  // Numbers and switches are settings whatever they are called; a value of $(…) only is a reference.
  const plain = /^(|true|false|[\d.]+|\$\([A-Za-z_]\w*\))$/i.test(value);
  return CREDENTIAL_NAME.test(name) && !plain
    ? [`${at} has the variable ${name} with a value; refer to the key of a Secret instead`]
    : found(value, `${at} variable ${name}`);
}

function found(text: string, at: string): string[] {
  return CREDENTIAL_VALUES.filter(([, form]) => form.test(text)).map(
    ([what]) => `${at} looks like ${what}; refer to the key of a Secret instead`,
  );
}
