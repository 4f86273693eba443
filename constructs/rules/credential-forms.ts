/**
 * Forms of credentials that give themselves away whatever the variable is called. Each begins where it can begin
 * only once, and every repetition is bounded, so that the time to judge a text grows with its length and no faster.
 */
export const CREDENTIAL_FORMS: readonly [string, RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ['a URL with a password', /(?<=[a-z0-9+.-]):\/\/[^/\s:@]{0,255}:(?!\$\$?\()[^@\s/]{1,8192}@/i],
  ['an AWS access key', /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['an Azure key', /\b(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{30,128}=/],
  ['a GitHub token', /\b(ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{20,}\b/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,}\b/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{20,}\b/],
  ['an OpenAI or Anthropic key', /\bsk-[A-Za-z0-9_-]{20,}\b/],
  ['a Groq key', /\bgsk_[A-Za-z0-9]{40,}\b/],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a Slack token', /\bxox[abeprs]-[A-Za-z0-9-]{10,}\b/],
  ['a JSON web token', /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,16384}\./],
  ['a bearer token', /\bBearer (?!hf_|sk-|gsk_|eyJ)[A-Za-z0-9._~+/-]{20,}/i],
  ['a password of Redis', /^[ \t]{0,64}(requirepass|masterauth)[ \t]{1,64}(?!["']?[$%]|""|'')\S/im],
  ['a password of PostgreSQL', /\bPASSWORD\s{1,8}'(?![$:%'])[^'\n]{1,256}'/i],
];

const HIDDEN = '***';

/** Where a message may repeat a part of what somebody wrote, and not the rest; shorter forms than those that are refused. */
const HIDDEN_PARTS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^"]*/g, HIDDEN],
  // A user or password before a host, which is no reference to a variable, and no digest after the tag of an image.
  [/(?<=:\/\/)(?![^\s"@:]{0,255}:\$\$?\()[^\s"@]{1,2048}@(?!sha256:)/g, `${HIDDEN}@`],
  [/(?<![^\s"])[^\s"'/:@]{1,255}:(?!\/\/|\$\$?\()[^\s"'@]{1,255}@(?!sha256:)/g, `${HIDDEN}@`],
  [/\b((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)=)[^;\s"]+/gi, `$1${HIDDEN}`],
  [/([?&](?:sig|token|key|api[_-]?key|password|access_token|X-Amz-Signature)=)[^&\s"]+/gi, `$1${HIDDEN}`],
  [/\bsk-(?:proj|ant|svcacct|or)-[\w-]+/g, HIDDEN],
  // Long, and of capitals, small letters and digits: no name that anybody gives, but what generators make.
  [/(?<![\w+=-])(?=[\w+=-]{0,64}[A-Z])(?=[\w+=-]{0,64}[a-z])(?=[\w+=-]{0,64}\d)[\w+=-]{32,}(?![\w+=./:-])/g, HIDDEN],
];

/** A text for a message, without what looks like a credential in it: messages are kept in logs of CI. */
export function shownSafely(text: string): string {
  const parts = HIDDEN_PARTS.reduce((shown, [form, instead]) => shown.replaceAll(form, instead), text);
  return CREDENTIAL_FORMS.reduce(
    (shown, [, form]) => (form.test(shown) ? shown.replaceAll(wholeWord(form), HIDDEN) : shown),
    parts,
  );
}

/** A form with what follows it in the same word: some are recognised by their beginning. */
function wholeWord({ source, flags }: RegExp): RegExp {
  return new RegExp(`(?:${source})[^\\s"]*`, `${flags}g`);
}
