import { UsageError } from './usage-error';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Refuses what is no UUID, at the property that holds it. */
export function checkUuid(property: string, id: string): void {
  if (!UUID.test(id)) {
    throw new UsageError(`is "${id}", but must be a UUID in lower case: 8, 4, 4, 4 and 12 hexadecimal digits`, {
      property,
    });
  }
}
