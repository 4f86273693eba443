import { UsageError } from '../rules/usage-error';

/** It is a word of a command line, and part of a path. */
const REVISION = /^(?!-)(?!.*\.\.)[A-Za-z0-9._/-]+$/;

/** Refuses what no revision of a model can be. */
export function checkRevision(revision: string | undefined): void {
  if (revision !== undefined && !REVISION.test(revision)) {
    throw new UsageError(
      `is "${revision}", but must consist of letters, digits, ".", "_", "/" and "-", not begin with "-", and have no ".." ` +
        'in it; name a commit of the model in its hub, or leave it out',
      { property: 'model.revision' },
    );
  }
}
