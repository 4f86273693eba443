import type { IConstruct } from 'constructs';

/** An object that the output refers to and does not contain: somebody else puts it into the cluster. */
export interface ExternalReference {
  /** Kind of the object: `Secret`, `StorageClass`, `ClusterSecretStore`. */
  readonly kind: string;

  /** Name of the object; of pods that an operator creates, their labels as {@link labelsText} writes them. */
  readonly name: string;

  /**
   * Namespace of the object.
   * @default - the object is cluster-scoped
   */
  readonly namespace?: string;

  /**
   * The key that must exist in a Secret or ConfigMap.
   * @default - the object as a whole
   */
  readonly key?: string;
}

const REFERENCES = Symbol.for('cdk8s-rag.ExternalReferences');

/**
 * What an app expects to find in the cluster. Whatever is referred to and is neither part of the output
 * nor declared here is a mistake, and the rules say so.
 */
export class ExternalReferences {
  /** The declarations of the app that this construct belongs to. */
  public static of(scope: IConstruct): ExternalReferences {
    const root = scope.node.root as IConstruct & { [REFERENCES]?: ExternalReferences };
    root[REFERENCES] ??= new ExternalReferences();
    return root[REFERENCES];
  }

  private readonly references = new Map<string, ExternalReference>();

  private constructor() {}

  /** Declares that this object exists in the cluster, or will before the output is applied. */
  public declare(reference: ExternalReference): void {
    this.references.set(identity(reference), reference);
  }

  /** Whether this object was declared; a Secret declared without a key has every key. */
  public includes(reference: ExternalReference): boolean {
    return (
      this.references.has(identity(reference)) ||
      (reference.key !== undefined && this.references.has(identity({ ...reference, key: undefined })))
    );
  }

  /** All declarations, sorted by kind, namespace, name and key. */
  public get all(): ExternalReference[] {
    return [...this.references.values()].sort((a, b) => (partsOf(a) < partsOf(b) ? -1 : 1));
  }
}

/** The parts that references are ordered by, apart from one another by a character that is in no name. */
function partsOf({ kind, namespace = '', name, key = '' }: ExternalReference): string {
  return [kind, namespace, name, key].join('\u0000');
}

/** Labels as a selector on the command line has them, sorted: `cnpg.io/cluster=documents`. */
export function labelsText(labels: { readonly [label: string]: string }): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',');
}

function identity(reference: ExternalReference): string {
  return [reference.kind, reference.namespace ?? '', reference.name, reference.key ?? ''].join('/');
}
