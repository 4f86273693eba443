import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { ExternalReferences } from '../../../constructs/rules/external-references';

const declared = () => ExternalReferences.of(new App());

describe('the declarations', () => {
  test('are those of the app, wherever in it they are made', () => {
    const app = new App();
    const one = new Chart(app, 'one');
    const two = new Construct(new Chart(app, 'two'), 'inner');
    ExternalReferences.of(one).declare({ kind: 'RuntimeClass', name: 'nvidia' });
    expect(ExternalReferences.of(two)).toBe(ExternalReferences.of(app));
    expect(ExternalReferences.of(two).includes({ kind: 'RuntimeClass', name: 'nvidia' })).toBe(true);
  });

  test('of one app are none of another', () => {
    ExternalReferences.of(new Chart(new App(), 'rag')).declare({ kind: 'RuntimeClass', name: 'nvidia' });
    expect(declared().includes({ kind: 'RuntimeClass', name: 'nvidia' })).toBe(false);
    expect(declared().all).toEqual([]);
  });

  test('are counted once, however often they are made', () => {
    const references = declared();
    const reference = { kind: 'Secret', name: 'qdrant', namespace: 'rag', key: 'api-key' };
    references.declare(reference);
    references.declare({ ...reference });
    expect(references.all).toEqual([reference]);
  });

  test('are listed by kind, namespace, name and key, in whatever order they are made', () => {
    const sorted = [
      { kind: 'RuntimeClass', name: 'nvidia' },
      { kind: 'Secret', namespace: 'a', name: 'y' },
      { kind: 'Secret', namespace: 'a-b', name: 'a' },
      { kind: 'Secret', namespace: 'b', name: 'x' },
      { kind: 'Secret', namespace: 'b', name: 'x', key: 'one' },
      { kind: 'Secret', namespace: 'b', name: 'x', key: 'two' },
      { kind: 'Secret', namespace: 'b', name: 'x-tls' },
      { kind: 'Secret', namespace: 'b', name: 'x.acme', key: 'one' },
      { kind: 'Secret', namespace: 'b', name: 'y', key: 'one' },
      { kind: 'StorageClass', name: 'fast' },
    ];
    const forwards = declared();
    const backwards = declared();
    for (const reference of sorted) {
      forwards.declare(reference);
    }
    for (const reference of sorted.toReversed()) {
      backwards.declare(reference);
    }
    expect(forwards.all).toEqual(sorted);
    expect(backwards.all).toEqual(sorted);
  });
});

describe('an object', () => {
  const reference = { kind: 'Secret', name: 'qdrant', namespace: 'rag', key: 'api-key' };

  test.each([
    ['kind', { ...reference, kind: 'ConfigMap' }],
    ['name', { ...reference, name: 'redis' }],
    ['namespace', { ...reference, namespace: 'other' }],
    ['scope', { ...reference, namespace: undefined }],
    ['key', { ...reference, key: 'other' }],
  ])('of another %s is not declared with it', (_, other) => {
    const references = declared();
    references.declare(reference);
    expect(references.includes(reference)).toBe(true);
    expect(references.includes(other)).toBe(false);
  });

  test('that is declared as a whole has every key', () => {
    const references = declared();
    references.declare({ kind: 'Secret', name: 'qdrant', namespace: 'rag' });
    expect(references.includes(reference)).toBe(true);
    expect(references.includes({ ...reference, key: 'other' })).toBe(true);
    expect(references.includes({ ...reference, name: 'other' })).toBe(false);
  });

  test('that is declared by a key is not declared as a whole', () => {
    const references = declared();
    references.declare(reference);
    expect(references.includes({ ...reference, key: undefined })).toBe(false);
  });
});
