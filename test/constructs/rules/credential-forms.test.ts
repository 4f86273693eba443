import { Peer } from '../../../constructs/network/peer';
import { shownSafely } from '../../../constructs/rules/credential-forms';
import { UsageError } from '../../../constructs/rules/usage-error';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { refusalOf } from '../../support/refusal';

test.each([
  ['is "redis://:hunter2@r", but', 'is "redis://***@r", but'],
  ['is "http://admin:hunter2@minio", but', 'is "http://***@minio", but'],
  ['is "https://admin:hunter/2@minio:9000", but', 'is "https://***@minio:9000", but'],
  ['is "admin:hunter2@minio", but', 'is "***@minio", but'],
  ['is "sk-proj-abc123", but', 'is "***", but'],
  [`is "hf_${'a'.repeat(24)}", but`, 'is "***", but'],
  [`is "ghp_${'a1'.repeat(18)}", but`, 'is "***", but'],
  [
    'is "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=x", but',
    'is "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=***;EndpointSuffix=x", but',
  ],
  ['is "https://a.acme.example/c?sv=1&sig=abc%2Fd&se=2", but', 'is "https://a.acme.example/c?sv=1&sig=***&se=2", but'],
  ['is "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nx", but', 'is "***", but'],
  [`is "eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.signature", but`, 'is "***", but'],
  ['is "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIz", but', 'is "***", but'],
])('%s does not repeat a credential', (text, shown) => {
  expect(shownSafely(text)).toBe(shown);
});

test.each([
  'is "https://minio.storage.svc:9000/path", but must be https',
  'is "ghcr.io/acme/rag-api:1.8.2@sha256:abc", but',
  'is "rag-api@acme.iam.gserviceaccount.com", but',
  'is "arn:aws:iam::123456789012:role/rag-api", but',
  'is "Qdrant_API", but',
  'is "https://sqs.eu-west-1.amazonaws.com/123456789012/documents", but',
  'is "redis://:$(REDIS_PASSWORD)@queue:6379/0", but',
  'is "amqp://rag:$(PASSWORD)@queue", but',
  'is 12, but must be at least twice m, which is 16',
])('%s stays as it is', (text) => {
  expect(shownSafely(text)).toBe(text);
});

test('takes no longer than its text is long', () => {
  for (const part of ['://', 'a:', 'sk-', 'Aa1', '?sig=', 'AccountKey=', '-----BEGIN PRIVATE KEY-----']) {
    const begin = Date.now();
    shownSafely(part.repeat(50_000));
    expect([part, Date.now() - begin < 2000]).toEqual([part, true]);
  }
});

test('no misuse repeats a pasted credential, with its name or without', () => {
  for (const misuse of [
    () => SecretKey.of('sk-proj-abc_123', 'key'),
    () => SecretKey.of('openai', 'sk-proj-abc 123'),
    () => Peer.host('redis://:abc123@r'),
  ]) {
    const error = refusalOf(misuse) as UsageError;
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain('***');
    expect(error.problem).toContain('***');
    expect(error.message).not.toMatch(/abc/);
  }
});
