import type { SecretKey } from '../secrets/secret-key';
import type { SecretFile } from '../workload/provider';

/** Whether connections to a server are encrypted, and whose word clients take for who it is. */
export class ServerTls {
  /** Connections are not encrypted: passwords and data can be read on the way. */
  public static readonly NONE = new ServerTls(false);

  /** The certificate is from an authority that images know, as those of the clouds are. */
  public static readonly PUBLIC = new ServerTls(true);

  /** The certificate is from this authority, in PEM. */
  public static signedBy(authority: SecretKey): ServerTls {
    return new ServerTls(true, authority);
  }

  private constructor(
    /** Whether connections are encrypted. */
    public readonly encrypted: boolean,
    /** The authority, where it is none that images know. */
    public readonly authority?: SecretKey,
  ) {}

  /** Where clients find the authority, below a directory that is the provider's own. */
  public fileIn(directory: string): string | undefined {
    const { authority } = this;
    return authority === undefined ? undefined : `${directory}/${authority.secret}/${authority.key}`;
  }

  /** The authority as a file of clients; one of two servers has a directory of its own. */
  public filesIn(directory: string): SecretFile[] {
    const { authority } = this;
    return authority === undefined ? [] : [{ source: authority, directory: `${directory}/${authority.secret}` }];
  }
}
