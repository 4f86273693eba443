import { UsageError } from '../rules/usage-error';

/** Where in a store the value of a key is. */
interface StoreEntry {
  /** Name of the entry. */
  readonly key: string;

  /**
   * Property of the entry, which is a map or JSON.
   * @default - the entry is the value
   */
  readonly property?: string;
}

/** What names of entries are made of. */
interface EntryNames {
  /** Between the parts of a path and the name of the Secret. */
  readonly separator: '/' | '--';
  /** What stands before a name with a path. */
  readonly root?: string;
  /** Whether each key has an entry of its own, instead of a property in that of its Secret. */
  readonly entryPerKey?: boolean;
  /** What the store accepts; undefined where that is left to the store. */
  readonly allowed?: RegExp;
  /** The same in words. */
  readonly rule?: string;
}

/**
 * How a store lays out what the keys of Secrets hold: which entry has the key `api-key` of the Secret `qdrant`, below the
 * path `rag/production`.
 */
export class StoreLayout {
  /**
   * An entry for each Secret, named with the path, whose properties are its keys: `api-key` of `rag/production/qdrant`.
   * So it is in Vault and in AWS Secrets Manager.
   */
  public static readonly PATHS = new StoreLayout({ separator: '/' });

  /**
   * The same in AWS Parameter Store, where a name with a path begins with "/": `api-key` of `/rag/production/qdrant`.
   *
   * Source: AWS Systems Manager docs, "Understanding parameter name requirements and constraints".
   */
  public static readonly AWS_PARAMETER_STORE = new StoreLayout({
    separator: '/',
    root: '/',
    allowed: /^(?!\/?(aws|ssm))[\w./-]{1,900}$/i,
    rule: 'parameters are at most 900 letters, digits, "-", "_" and ".", and do not begin with "aws" or "ssm"',
  });

  /**
   * An entry for each Secret, whose properties are its keys, in Google Secret Manager, where names have no "/": `api-key`
   * of `rag--production--qdrant`.
   *
   * Source: Google Cloud docs, Secret Manager API, projects.secrets.create.
   */
  public static readonly GOOGLE_SECRET_MANAGER = new StoreLayout({
    separator: '--',
    allowed: /^[\w-]{1,255}$/,
    rule: 'names in Google Secret Manager are at most 255 letters, digits, "-" and "_"',
  });

  /**
   * An entry for each key, in Azure Key Vault, where names have neither "/" nor "_": `rag--production--qdrant--api-key`.
   * Without a path these are the entries of {@link SecretsStoreCsi.azureKeyVault}.
   *
   * Source: Azure docs, "Naming rules and restrictions", Microsoft.KeyVault.
   */
  public static readonly AZURE_KEY_VAULT = new StoreLayout({
    separator: '--',
    entryPerKey: true,
    allowed: /^[A-Za-z0-9-]{1,127}$/,
    rule: 'names in Azure Key Vault are at most 127 letters, digits and "-"',
  });

  private constructor(private readonly names: EntryNames) {}

  /**
   * Refuses a path that no entry can have.
   * @internal
   */
  public _checkPath(path: string | undefined): void {
    if (path === undefined) {
      return;
    }
    if (!/^[^\s/]+(\/[^\s/]+)*$/.test(path)) {
      throw new UsageError(`is "${path}", but must be names joined by "/", with none at its ends: rag/production`, {
        property: 'secrets.path',
      });
    }
    const { allowed, rule } = this.names;
    if (allowed?.test(this.nameOf(path, [])) === false) {
      throw new UsageError(`is "${path}", but ${rule}; name it so`, { property: 'secrets.path' });
    }
  }

  /**
   * Where the value of a key is.
   * @internal
   */
  public _entry(path: string | undefined, secret: string, key: string): StoreEntry {
    const { entryPerKey, allowed, rule } = this.names;
    const name = this.nameOf(path, [secret, ...(entryPerKey === true ? [key] : [])]);
    if (allowed?.test(name) === false) {
      throw new UsageError(
        `is "${key}" of the Secret ${secret}, so its entry in the store would be "${name}", but ${rule}; name the ` +
          'Secret and the key so',
        { property: 'secret.key' },
      );
    }
    return { key: name, property: entryPerKey === true ? undefined : key };
  }

  private nameOf(path: string | undefined, below: string[]): string {
    const { separator, root = '' } = this.names;
    return path === undefined ? below.join(separator) : root + [...path.split('/'), ...below].join(separator);
  }
}
