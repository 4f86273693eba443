import fc from 'fast-check';
import { ExternalSecrets } from '../../../constructs/secrets/external-secrets';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { EnvValue } from '../../../constructs/workload/env-value';
import { KEY } from '../../support/values';

/** What the kubelet makes of a value, when every variable is "!" (Kubernetes, third_party/forked/golang/expansion). */
function expanded(value: string): string {
  return value.replaceAll(/\$\$|\$\([^)]*\)/g, (match) => (match === '$$' ? '$' : '!'));
}

describe('a value', () => {
  test.each([
    ['that is plain stands as it is', EnvValue.of('1'), { name: 'X', value: '1' }],
    ['that is empty stands as it is', EnvValue.of(''), { name: 'X', value: '' }],
    [
      'of a Secret is a reference',
      EnvValue.fromSecret(KEY),
      { name: 'X', valueFrom: { secretKeyRef: { name: 'existing', key: 'key' } } },
    ],
    [
      'of a Secret that stands in a URL is a reference to its form there',
      EnvValue.fromSecretInUrl(new ExternalSecrets(SecretStore.existing('acme')).key('queue', 'password')),
      { name: 'X', valueFrom: { secretKeyRef: { name: 'queue', key: 'password.urlencoded' } } },
    ],
    [
      'of a Secret that has no form for URLs is the reference that it always is',
      EnvValue.fromSecretInUrl(KEY),
      { name: 'X', valueFrom: { secretKeyRef: { name: 'existing', key: 'key' } } },
    ],
    [
      'of the pod is a reference that is complete',
      EnvValue.fromPod('status.podIP'),
      { name: 'X', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ],
    ['that others complete stands as it is written', EnvValue.template('$(A):$(B)'), { name: 'X', value: '$(A):$(B)' }],
  ])('%s', (_, value, variable) => {
    expect(value._render('X')).toEqual(variable);
  });

  test('that is plain is what the program gets, whatever the kubelet could find in it', () => {
    const text = fc.array(fc.constantFrom('$', '$$', '(', ')', '$(A)', 'A', ' ')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (plain) => {
        expect(expanded(EnvValue.of(plain)._render('X').value as string)).toBe(plain);
      }),
    );
  });

  test.each([
    ['$(A)', '$$(A)'],
    ['$$', '$$$'],
    ['p$$w(r)d', 'p$$$w(r)d'],
    ['$', '$'],
    ['$A', '$A'],
    ['a$', 'a$'],
    ['US$ 5 (net)', 'US$ 5 (net)'],
  ])('that is plain and is %s is written as %s', (plain, written) => {
    expect(EnvValue.of(plain)._render('X')).toEqual({ name: 'X', value: written });
  });

  test('knows its Secret, and only that', () => {
    expect(EnvValue.fromSecret(KEY).secretKey).toBe(KEY);
    expect(EnvValue.of('x').secretKey).toBeUndefined();
    expect(EnvValue.template('$(A)').secretKey).toBeUndefined();
  });
});

describe('references', () => {
  test('are found in a template, in their order', () => {
    expect(EnvValue.template('redis://:$(PASSWORD)@$(HOST_1):6379/$(PASSWORD)').references).toEqual([
      'PASSWORD',
      'HOST_1',
      'PASSWORD',
    ]);
  });

  test.each(['no reference', '$PASSWORD', '{PASSWORD}', '$()', '$(1A)', '$(A B)', '$$(A)', '$$$$(A)'])(
    'are not "%s"',
    (text) => {
      expect(EnvValue.template(text).references).toEqual([]);
    },
  );

  test('have every name that a variable can have', () => {
    expect(EnvValue.template('$(a.b)$(A-B)$(_c1)').references).toEqual(['a.b', 'A-B', '_c1']);
  });

  test('are told from texts that look like them', () => {
    const value = EnvValue.template('$$(A)$(B)$$(C)');
    expect(value.references).toEqual(['B']);
    expect(value._render('X')).toEqual({ name: 'X', value: '$$(A)$(B)$$(C)' });
  });

  test('are none in any other value', () => {
    expect(EnvValue.of('$(A)').references).toEqual([]);
    expect(EnvValue.fromSecret(KEY).references).toEqual([]);
    expect(EnvValue.fromPod('metadata.name').references).toEqual([]);
  });
});

describe('renaming', () => {
  test('changes the references of a template, and keeps those that keep their names', () => {
    const renamed = EnvValue.template('$(A)-$(B)-$(A)-A').renamed({ A: 'X', C: 'Y' });
    expect(renamed._render('T')).toEqual({ name: 'T', value: '$(X)-$(B)-$(X)-A' });
    expect(renamed.references).toEqual(['X', 'B', 'X']);
  });

  test('leaves a text that looks like a reference as it is', () => {
    const renamed = EnvValue.template('$$(A)$(A)').renamed({ A: 'X' });
    expect(renamed._render('T')).toEqual({ name: 'T', value: '$$(A)$(X)' });
  });

  test('can exchange two names', () => {
    expect(EnvValue.template('$(A)$(B)').renamed({ A: 'B', B: 'A' }).references).toEqual(['B', 'A']);
  });

  test.each([
    ['a plain value', EnvValue.of('$(A)')],
    ['a Secret', EnvValue.fromSecret(KEY)],
    ['a field of the pod', EnvValue.fromPod('metadata.name')],
  ])('does nothing to %s', (_, value) => {
    expect(value.renamed({ A: 'X' })).toBe(value);
  });

  test('and renaming back gives the same template', () => {
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/);
    fc.assert(
      fc.property(fc.array(name), fc.uniqueArray(name, { maxLength: 5 }), (references, names) => {
        const there = Object.fromEntries(names.map((from) => [from, `lower_${from}`]));
        const back = Object.fromEntries(names.map((from) => [`lower_${from}`, from]));
        const template = EnvValue.template(references.map((reference) => `$(${reference})`).join('/'));
        expect(template.renamed(there).renamed(back)).toEqual(template);
        expect(template.renamed(there).references).toEqual(
          references.map((reference) => there[reference] ?? reference),
        );
      }),
    );
  });
});

describe('two values', () => {
  const VALUES: [string, () => EnvValue][] = [
    ['a text', () => EnvValue.of('a')],
    ['another text', () => EnvValue.of('b')],
    ['an empty text', () => EnvValue.of('')],
    ['a key of a Secret', () => EnvValue.fromSecret(SecretKey.of('a', 'key'))],
    ['another key of it', () => EnvValue.fromSecret(SecretKey.of('a', 'other'))],
    ['the key of another Secret', () => EnvValue.fromSecret(SecretKey.of('b', 'key'))],
    ['a field of the pod', () => EnvValue.fromPod('metadata.name')],
    ['the text of that field', () => EnvValue.of('metadata.name')],
    ['a template', () => EnvValue.template('$(A)')],
    ['another template', () => EnvValue.template('$(B)')],
    ['the text of a template', () => EnvValue.of('$(A)')],
  ];

  test.each(VALUES)('are equal when both are %s, and in no other case', (name, make) => {
    for (const [other, makeOther] of VALUES) {
      expect([other, make().equals(makeOther())]).toEqual([other, other === name]);
    }
  });

  test('are equal when a container would see the same, however they came about', () => {
    expect(EnvValue.template('plain').equals(EnvValue.of('plain'))).toBe(true);
    expect(EnvValue.template('$$(A)').equals(EnvValue.of('$(A)'))).toBe(true);
  });
});

describe('a message', () => {
  test.each([
    ['a text as it is', EnvValue.of('a b'), '"a b"'],
    ['an empty text', EnvValue.of(''), '""'],
    ['a template as it is written', EnvValue.template('http://$(HOST)'), '"http://$(HOST)"'],
    ['a field of the pod by its path', EnvValue.fromPod('status.podIP'), '"status.podIP"'],
    ['a secret by its name alone', EnvValue.fromSecret(KEY), 'key key of Secret existing'],
  ])('shows %s', (_, value, shown) => {
    expect(value.shown).toBe(shown);
  });
});

describe('a text that no program is handed', () => {
  test.each(['a\0b', 'a\u001bb', '\u007f'])('is one with control characters: %j', (text) => {
    for (const make of [EnvValue.of, EnvValue.template]) {
      expect(() => make(text)).toThrow(
        new Error('env has control characters, which no program is handed as they are; remove them'),
      );
    }
  });

  test('has more than 128 KiB', () => {
    expect(() => EnvValue.of('é'.repeat(65_535))).not.toThrow();
    expect(() => EnvValue.of('é'.repeat(65_536))).toThrow(
      new Error('env has 131072 bytes, but a program takes at most 131071 in one text; put it into a file'),
    );
  });

  test('is none with several lines and tabs', () => {
    expect(() => EnvValue.of('a\n\tb\r\n')).not.toThrow();
  });
});
