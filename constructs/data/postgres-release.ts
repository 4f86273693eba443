/** A release of PostgreSQL, as the tag of an image names it. */
export interface PostgresRelease {
  /** The major release, 17. */
  readonly major: number;
  /** Code name of the Debian that it was built on; undefined where the tag has none. */
  readonly distribution?: string;
}

const DISTRIBUTION = /[-.](buster|bullseye|bookworm|trixie|forky)\b/;

/**
 * The release in the name of an image; undefined where its tag has another form. Images of the project, of
 * CloudNativePG and of pgvector are known: `17.9-bookworm`, `17.11-202608310816-standard-bookworm`, `0.8.4-pg17`.
 */
export function postgresRelease(image: unknown): PostgresRelease | undefined {
  const [, tag = ''] = /:([\w][\w.-]*)(?:@|$)/.exec(String(image)) ?? [];
  const [, major] = /(?:^|-)pg(\d{2})\b/.exec(tag) ?? /^(\d{2})(?!\w)/.exec(tag) ?? [];
  const [, distribution] = DISTRIBUTION.exec(tag) ?? [];
  return major === undefined ? undefined : { major: Number(major), distribution };
}
