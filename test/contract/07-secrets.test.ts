import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { podsOf } from '../support/pods';

const CREDENTIAL = /(PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY)(_URLENCODED)?$|^REDISCLI_AUTH$/;

describe.each(EACH_ENVIRONMENT)('%s: no secret value is in the output', (_, { objects, files }) => {
  test('there is no Secret', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('variables with credentials refer to a Secret', () => {
    const variables: Json[] = podsOf(objects).flatMap(({ containers }) => containers.flatMap(({ env = [] }) => env));
    const credentials = variables.filter(({ name }) => CREDENTIAL.test(name));
    expect(credentials.length).toBeGreaterThan(0);
    for (const { value, valueFrom } of credentials) {
      expect(value).toBeUndefined();
      expect(valueFrom.secretKeyRef).toEqual({ name: expect.any(String), key: expect.any(String) });
    }
  });

  test('no file holds anything of the form of a credential', () => {
    const forms = [
      /-----BEGIN [A-Z ]*PRIVATE KEY/,
      /\bsk-[A-Za-z0-9]{16,}/,
      /\bAKIA[0-9A-Z]{16}\b/,
      /:\/\/[^/\s:@]*:(?!\$\$?\()[^@\s]+@/,
    ];
    for (const [name, text] of files) {
      expect([name, forms.filter((form) => form.test(text))]).toEqual([name, []]);
    }
  });
});
