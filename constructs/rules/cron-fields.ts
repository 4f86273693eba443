/** What a field may hold. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Words for its numbers, from the least on. */
  readonly words: readonly string[];
}

/** Minute, hour, day of the month, month and weekday (Kubernetes docs, "CronJob", "Schedule syntax"): Sunday is 0. */
const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, words: [] },
  { name: 'hour', least: 0, most: 23, words: [] },
  { name: 'day', least: 1, most: 31, words: [] },
  {
    name: 'month',
    least: 1,
    most: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'weekday', least: 0, most: 6, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** One entry of a list: all, a value or a range of them, and a step. */
const ENTRY = /^(?:[*?]|([^/-]+)(?:-([^/-]+))?)(?:\/(\d{1,4}))?$/;

/** What is wrong with five cron fields as the CronJob controller and KEDA read them; undefined when nothing is. */
export function cronProblem(text: string): string | undefined {
  const parts = text.split(' ');
  if (parts.length !== FIELDS.length || parts.some((part) => part === '')) {
    return `is "${text}", but must be five cron fields, such as "0 7 * * 1-5"`;
  }
  const wrong = FIELDS.findIndex((field, index) => !isField(parts[index] ?? '', field));
  const field = FIELDS[wrong];
  return field === undefined
    ? undefined
    : `is "${text}", whose ${field.name} is "${parts[wrong]}", but must be *, or ${allowed(field)}, as values, ranges, ` +
        'lists and steps: "5", "1-5", "1,3", "*/2"';
}

function allowed({ least, most, words }: Field): string {
  const [first, last] = [words[0], words.at(-1)].map((word) => word?.toUpperCase());
  return `${least} to ${most}${first === undefined ? '' : ` (${first} to ${last})`}`;
}

function isField(text: string, field: Field): boolean {
  return text.split(',').every((entry) => isEntry(entry, field));
}

function isEntry(entry: string, field: Field): boolean {
  const match = ENTRY.exec(entry);
  if (match === null) {
    return false;
  }
  const [, from, to, step] = match;
  const first = from === undefined ? field.least : numberOf(from, field);
  const last = to === undefined ? first : numberOf(to, field);
  return first !== undefined && last !== undefined && first <= last && (step === undefined || Number(step) > 0);
}

/** The number that a value stands for; undefined when it is out of range. */
function numberOf(text: string, { least, most, words }: Field): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  const number = word >= 0 ? least + word : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}
