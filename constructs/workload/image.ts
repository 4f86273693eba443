import type { IConstruct } from 'constructs';
import type { Architecture } from '../placement/architecture';
import type { Registry } from '../placement/registry';
import { isMovingTag } from '../rules/images-pinned';
import { UsageError } from '../rules/usage-error';

/** Which build of a repository. */
export interface ImageVersion {
  /** Tag of a release, `1.8.2`; a tag that moves, such as `latest`, is refused. */
  readonly tag: string;

  /**
   * Digest of the image, `sha256:` and 64 hexadecimal digits. Makes the bytes certain; the tag is then only
   * for people.
   * @default - the tag alone; refused where the registry requires digests
   */
  readonly digest?: string;

  /**
   * Architectures that there is a build for. A tag, and the digest of an index, can be for several, of which each node
   * takes its own; the digest of one manifest, or a tag such as `cpu-arm64-1.9`, is for one. Pods whose images have one
   * architecture in common go to nodes of it, in their pool or anywhere.
   * @default - unknown; pods run on whatever nodes the pool has
   */
  readonly architectures?: Architecture[];
}

/** A path, with a host before it or without (distribution/reference, "Grammar"). */
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const HOST = '(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*(?::\\d+)?/)';
const REPOSITORY = new RegExp(`^${HOST}?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DOCKER_HUB = 'docker.io';

/** A container image, pinned to one build. */
export class Image {
  /**
   * A build of a repository.
   *
   * @param repository `ghcr.io/acme/rag-api`; without a host, Docker Hub
   */
  public static of(repository: string, version: ImageVersion): Image {
    return new Image(repository, version.tag, version.digest, version.architectures && [...version.architectures]);
  }

  private readonly host: string;
  private readonly path: string;

  private constructor(
    repository: string,
    /** Tag of the image. */
    public readonly tag: string,
    /** Digest of the image. */
    public readonly digest?: string,
    /** Architectures that it is for; undefined when unknown. */
    public readonly architectures?: Architecture[],
  ) {
    checkRepository(repository);
    checkTag(tag);
    checkDigest(digest);
    if (architectures?.length === 0) {
      throw new UsageError('are none, so no node could run it; name one, or leave them out where they are unknown', {
        property: 'image.architectures',
      });
    }
    [this.host, this.path] = splitRepository(repository);
  }

  /** Host and path of the repository as it is published: `docker.io/library/redis`. */
  public get repository(): string {
    return `${this.host}/${this.path}`;
  }

  /**
   * What a container refers to in a cluster that pulls from this registry.
   *
   * @param registry where the cluster pulls from
   * @param scope the construct that the image belongs to, for messages
   */
  public in(registry: Registry, scope?: IConstruct): string {
    if (registry.requireDigest && this.digest === undefined) {
      throw new UsageError(
        `is ${this.repository}:${this.tag}, but this registry requires digests; add the digest of that tag`,
        { scope, property: 'image.digest' },
      );
    }
    const digest = this.digest === undefined ? '' : `@${this.digest}`;
    return `${registry.locate(this.host, this.path)}:${this.tag}${digest}`;
  }
}

/** Longest name of a repository (distribution/reference, "NameTotalLengthMax"). */
const LONGEST_REPOSITORY = 255;

function checkRepository(repository: string): void {
  const port = Number(/^[^/]*:(\d+)\//.exec(repository)?.[1] ?? 1);
  if (repository.length > LONGEST_REPOSITORY || port < 1 || port > 65535) {
    throw new UsageError(
      `is "${repository}", but has at most ${LONGEST_REPOSITORY} characters, and ports are from 1 to 65535`,
      { property: 'image.repository' },
    );
  }
  if (!REPOSITORY.test(repository)) {
    throw new UsageError(
      `is "${repository}"; write host and path in lower case, without tag or digest: ghcr.io/acme/rag-api`,
      {
        property: 'image.repository',
      },
    );
  }
}

function checkTag(tag: string): void {
  if (tag === '') {
    throw new UsageError('is empty; pin a release, such as 1.8.2', { property: 'image.tag' });
  }
  if (!TAG.test(tag)) {
    throw new UsageError(`is "${tag}", which is no image tag; pin a release, such as 1.8.2`, { property: 'image.tag' });
  }
  if (isMovingTag(tag)) {
    throw new UsageError(`is "${tag}", which moves, so nothing could be rolled back; pin a release, such as 1.8.2`, {
      property: 'image.tag',
    });
  }
}

function checkDigest(digest: string | undefined): void {
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw new UsageError(`is "${digest}", but must be "sha256:" and 64 lower-case hexadecimal digits`, {
      property: 'image.digest',
    });
  }
}

/** Host and path, completed as container runtimes complete them. */
function splitRepository(repository: string): [string, string] {
  const [first = '', ...rest] = repository.split('/');
  const named = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const [host, path] = named ? [first, rest.join('/')] : [DOCKER_HUB, repository];
  return [host, host === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path];
}
