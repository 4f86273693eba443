import { Document, type Pair, Scalar, visit } from 'yaml';
import type { ManifestObject } from '../constructs/rules/output';

/** Fields that a reader looks for first; the others follow in alphabetical order, as the API server sorts them. */
const FIRST_FIELDS = ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'image'];

/**
 * Characters that go-yaml, the reader of kubectl and Argo CD, refuses or takes for a line break where they stand as they
 * are (go-yaml v2, `readerc.go` and `yamlprivateh.go`), and byte order marks, which others drop.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNREADABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** White space before the first word: readers count it, or a tab, as the indentation of a block. */
const INDENTED = /^\n*[ \t]/;

/**
 * What go-yaml takes for a number although YAML 1.1 and 1.2 do not: it drops every "_" first, and knows signs and capital
 * letters in more places (go-yaml v2, `resolve.go`).
 */
const NUMBER = /^[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|0b[-+]?[01]+|0o[-+]?[0-7]+|0x[\da-f]+)$/i;

/** Keys of YAML 1.1 that mean something of their own: merge the map that follows, the default value of a map. */
const SPECIAL = ['<<', '='];

/** What "<<" is in YAML 1.1. */
const MERGE = 'tag:yaml.org,2002:merge';

/** An object as YAML that readers of YAML 1.1 and 1.2, go-yaml included, read as it is meant. */
export function manifestText(object: ManifestObject): string {
  const document = new Document(object, {
    // Readers of YAML 1.1, of which there are many, take "yes" or "0644" for something else than a text.
    version: '1.1',
    compat: 'core',
    // Objects have no merge keys: "<<" is a text like any other.
    customTags: (tags) => tags.filter((tag) => tag !== 'merge' && (tag as { tag?: string }).tag !== MERGE),
    sortMapEntries: byFirstFields,
  });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && isMisread(scalar.value)) {
        scalar.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  // Whatever contains such a character is in double quotes by now, where an escape stands for it.
  return document.toString({ lineWidth: 0, doubleQuotedAsJSON: true }).replace(UNREADABLE, escaped);
}

/** Whether only double quotes make every reader take a text for what it is. */
function isMisread(text: string): boolean {
  return (
    text.search(UNREADABLE) !== -1 ||
    INDENTED.test(text) ||
    NUMBER.test(text.replaceAll('_', '')) ||
    SPECIAL.includes(text)
  );
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function byFirstFields(a: Pair, b: Pair): number {
  const [left, right] = [keyOf(a), keyOf(b)];
  return rankOf(left) - rankOf(right) || (left < right ? -1 : 1);
}

function keyOf(pair: Pair): string {
  return String((pair.key as { value?: unknown }).value ?? pair.key);
}

function rankOf(field: string): number {
  const rank = FIRST_FIELDS.indexOf(field);
  return rank === -1 ? FIRST_FIELDS.length : rank;
}
