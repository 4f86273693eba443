import { textProblem } from '../rules/text';
import { refuse, UsageError } from '../rules/usage-error';

/** What has pods use the new value of a Secret. */
export class SecretRotation {
  /**
   * Stakater Reloader restarts the pods when a Secret that they read changes. It watches the Secret also where the CSI
   * driver makes it, which is what the pods read; Reloader's watch of a SecretProviderClass is for pods that read the
   * driver's own files, and would restart these twice (Reloader docs, "Vault CSI Driver (K8s Secret) Pattern").
   */
  public static readonly RELOADER = new SecretRotation('RELOADER');

  /**
   * The program reads its files again, and nothing restarts it. A variable never changes in a container that runs, so the
   * main container gets none from a Secret: {@link SecretDelivery.FILES}. Nor does a file that is mounted by its
   * `subPath`. What other containers of the pod read as variables Reloader watches as ever, where it runs.
   */
  public static readonly REREAD = new SecretRotation('REREAD');

  /**
   * Whoever changes a Secret changes this text as well, and the pods restart with the sync: for clusters without
   * Reloader, and for restarts at a time of one's choosing. It is an annotation of the pods, so it is no place for the
   * value. The new Secret must be in the cluster before the sync, or the pods start with the old one.
   *
   * @param text what tells this value from the last: a date, `2026-11-28`, or the number of a version
   */
  public static revision(text: string): SecretRotation {
    refuse(textProblem(text), { property: 'secretRotation.revision' });
    if (text.trim() === '' || text.length > LONGEST_REVISION || text.includes('\n')) {
      throw new UsageError(
        `has ${text.length} characters, but must be one line of 1 to ${LONGEST_REVISION} that tells this value from ` +
          'the last, such as a date',
        { property: 'secretRotation.revision' },
      );
    }
    return new SecretRotation('revision', text);
  }

  private constructor(
    /** What it is called in messages. */
    public readonly name: string,
    private readonly text?: string,
  ) {}

  /**
   * Annotations of pods that stay; others read a Secret when they start.
   * @internal
   */
  public get _podAnnotations(): { [annotation: string]: string } {
    return this.text === undefined ? {} : { [SecretRotation._ANNOTATION]: this.text };
  }

  /**
   * Annotation of the pods that has the revision.
   * @internal
   */
  public static readonly _ANNOTATION = 'cdk8s-rag/secrets-revision';
}

/** Enough for a date or a version, too little for most keys. */
const LONGEST_REVISION = 63;
