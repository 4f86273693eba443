import { Size } from 'cdk8s';
import { parse } from 'yaml';
import { ChangeRules } from '../../../constructs/rules/change-rules';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { AuditRotation } from '../../../constructs/vector-store/qdrant-audit';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

const AUDIT = { storage: Size.gibibytes(20) };

const PROPS: QdrantProps = {
  apiKey: SecretKey.of('qdrant', 'api-key'),
  resources: RESOURCES,
  storage: Size.gibibytes(50),
};

function rendered(props: Partial<QdrantProps>) {
  const chart = testChart();
  new Qdrant(chart, 'qdrant', { ...PROPS, ...props });
  const objects = render(chart);
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');
  const config = parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
  const claims: Json[] = statefulSet.spec.volumeClaimTemplates;
  const sizes = Object.fromEntries(
    claims.map(({ metadata, spec }) => [metadata.name, [spec.resources.requests.storage, spec.storageClassName]]),
  );
  return { objects, statefulSet, config, sizes };
}

describe('an audit log', () => {
  test('is none unless one is wanted', () => {
    const { config, statefulSet, sizes } = rendered({});
    expect(config).not.toHaveProperty('audit');
    expect(Object.keys(sizes)).toEqual(['storage', 'snapshots']);
    expect(JSON.stringify(statefulSet)).not.toContain('/qdrant/audit');
  });

  test('is on a volume of its own, which can fill no other, and the rest is left to Qdrant', () => {
    const { config, statefulSet, sizes } = rendered({ audit: AUDIT, storageClass: 'fast' });
    expect(config.audit).toEqual({ enabled: true, dir: './audit' });
    expect(sizes).toEqual({ storage: ['50Gi', 'fast'], snapshots: ['50Gi', 'fast'], audit: ['20Gi', 'fast'] });
    expect(mainContainer(statefulSet).volumeMounts).toContainEqual({ name: 'audit', mountPath: '/qdrant/audit' });
  });

  test('has files as often and as many as is said, and addresses from whom is said', () => {
    const audit = { ...AUDIT, rotation: AuditRotation.HOURLY, maxFiles: 48, trustForwardedHeaders: true };
    expect(rendered({ audit }).config.audit).toEqual({
      enabled: true,
      dir: './audit',
      rotation: 'hourly',
      max_log_files: 48,
      trust_forwarded_headers: true,
    });
    expect(rendered({ audit: { ...audit, rotation: AuditRotation.DAILY } }).config.audit.rotation).toBe('daily');
  });

  test('says how a database that runs gets one', () => {
    const chart = testChart();
    new Qdrant(chart, 'qdrant', { ...PROPS, audit: AUDIT });
    const [problem, ...others] = ChangeRules.of(chart).check(rendered({}).objects, render(chart));
    expect(problem).toMatch(
      /^StatefulSet test\/qdrant: spec\.volumeClaimTemplates changes at 2 from nothing to .*delete it with --cascade=orphan, which keeps its pods and volumes/,
    );
    expect(others).toEqual([]);
  });

  test.each([0, 1.5, -1, Number.NaN])('does not keep %s files', (maxFiles) => {
    expect(() => rendered({ audit: { ...AUDIT, maxFiles } })).toThrow(
      `rag/qdrant: audit.maxFiles is ${maxFiles}, but must be a whole number from 1`,
    );
  });

  test.each(['weekly', '', null])('does not begin a file %s, which plain JavaScript can say', (rotation) => {
    expect(() => rendered({ audit: { ...AUDIT, rotation: rotation as AuditRotation } })).toThrow(
      `rag/qdrant: audit.rotation is ${rotation}, but must be hourly or daily`,
    );
  });
});
