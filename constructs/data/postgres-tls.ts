import type { SecretKey } from '../secrets/secret-key';

/** How far a client of PostgreSQL trusts the server (PostgreSQL docs, "SSL Support", "Protection Provided"). */
export class PostgresTls {
  /** The certificate must be from this authority, and for the host. RDS and Cloud SQL have authorities of their own. */
  public static verified(authority: SecretKey): PostgresTls {
    return new PostgresTls('verify-full', authority);
  }

  /**
   * The certificate must be from an authority that the client's system knows, and for the host, as with Azure
   * Database. Only clients of libpq 16 and newer understand it.
   */
  public static publicAuthority(): PostgresTls {
    return new PostgresTls('verify-full', undefined, 'system');
  }

  /** Encrypted, but whoever is in between can be the server; for ways that are safe without, such as a private link. */
  public static unverified(): PostgresTls {
    return new PostgresTls('require');
  }

  /** Not encrypted; for an authenticating proxy beside the clients. */
  public static none(): PostgresTls {
    return new PostgresTls('disable');
  }

  private constructor(
    /** The mode as libpq calls it. */
    public readonly mode: string,
    /** Certificate of the authority that signs the server's. */
    public readonly authority?: SecretKey,
    /** The authority, when libpq has a name for it. */
    public readonly namedAuthority?: string,
  ) {}
}
