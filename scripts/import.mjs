// Generates imports/ from CRDs: those named in cdk8s.yaml, or all files of a folder, for machines without internet.
//
//   node scripts/import.mjs [folder]
//
// Only the kinds and versions that the library renders are taken, because whole groups are megabytes of types
// that every run would load. cdk8s writes one file per API group, so all kinds of a group go in together.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';

const KINDS = {
  'keda.sh': { ScaledObject: ['v1alpha1'], TriggerAuthentication: ['v1alpha1'] },
  'gateway.networking.k8s.io': { Gateway: ['v1'], HTTPRoute: ['v1'] },
  'secrets-store.csi.x-k8s.io': { SecretProviderClass: ['v1'] },
  'external-secrets.io': { ExternalSecret: ['v1', 'v1beta1'], SecretStore: ['v1', 'v1beta1'] },
  'cert-manager.io': { Certificate: ['v1'] },
  'cilium.io': { CiliumNetworkPolicy: ['v2'] },
  'kafka.strimzi.io': { Kafka: ['v1'], KafkaNodePool: ['v1'], KafkaTopic: ['v1'] },
  'monitoring.coreos.com': { PodMonitor: ['v1'] },
  'rabbitmq.com': { RabbitmqCluster: ['v1beta1'] },
  'postgresql.cnpg.io': { Cluster: ['v1'], Pooler: ['v1'], ScheduledBackup: ['v1'] },
};

/**
 * Fields of specifications that are taken, where the others are megabytes by themselves: whole pods and volumes. A path
 * takes a field of a field and leaves those beside it.
 */
const SPEC_FIELDS = {
  'postgresql.cnpg.io/Cluster': [
    'affinity',
    'bootstrap',
    'certificates',
    'enableSuperuserAccess',
    'ephemeralVolumesSizeLimit',
    'imageName',
    'imagePullSecrets',
    'inheritedMetadata',
    'instances',
    'plugins',
    'postgresql',
    'primaryUpdateStrategy',
    'priorityClassName',
    'resources',
    'serviceAccountTemplate',
    'storage',
    'topologySpreadConstraints',
    'walStorage',
  ],
  'external-secrets.io/SecretStore': [
    'provider.aws.auth.jwt',
    'provider.aws.region',
    'provider.aws.role',
    'provider.aws.service',
    'provider.azurekv.authType',
    'provider.azurekv.environmentType',
    'provider.azurekv.serviceAccountRef',
    'provider.azurekv.tenantId',
    'provider.azurekv.vaultUrl',
    'provider.gcpsm.auth.workloadIdentity',
    'provider.gcpsm.projectID',
    'provider.vault.auth.kubernetes',
    'provider.vault.caProvider',
    'provider.vault.namespace',
    'provider.vault.path',
    'provider.vault.server',
    'provider.vault.version',
  ],
  'monitoring.coreos.com/PodMonitor': ['podMetricsEndpoints', 'selector'],
  'kafka.strimzi.io/Kafka': ['kafka', 'entityOperator'],
  'kafka.strimzi.io/KafkaNodePool': ['replicas', 'resources', 'roles', 'storage', 'template'],
  'rabbitmq.com/RabbitmqCluster': [
    'image',
    'imagePullSecrets',
    'override',
    'persistence',
    'rabbitmq',
    'replicas',
    'resources',
    'tls',
    'tolerations',
  ],
  'postgresql.cnpg.io/Pooler': ['cluster', 'instances', 'pgbouncer', 'template', 'type'],
};

async function sources(folder) {
  if (folder !== undefined) {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
  }
  const { imports } = parse(readFileSync('cdk8s.yaml', 'utf8'));
  return Promise.all(
    imports.map(async (url) => {
      const response = await fetch(url);
      if (!response.ok) {
        throw new Error(`${url}: ${response.status} ${response.statusText}`);
      }
      return response.text();
    }),
  );
}

/** The wanted versions of the wanted kinds, by group. */
function wanted(texts) {
  const crds = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()));
  const byGroup = new Map();
  for (const crd of crds.filter((candidate) => candidate?.kind === 'CustomResourceDefinition')) {
    const { group, names, versions } = crd.spec;
    const wantedVersions = KINDS[group]?.[names.kind];
    if (wantedVersions !== undefined) {
      const taken = versions.filter(({ name }) => wantedVersions.includes(name));
      const spec = { ...crd.spec, versions: taken.map((version) => trimmed(version, `${group}/${names.kind}`)) };
      byGroup.set(group, [...(byGroup.get(group) ?? []), { ...crd, spec }]);
    }
  }
  return byGroup;
}

/** Fields with whole pods in them, which are not spelled out. */
const OPEN_FIELDS = ['template', 'override'];

function openTemplates({ properties = {} }) {
  for (const [name, schema] of Object.entries(properties)) {
    if (OPEN_FIELDS.includes(name)) {
      properties[name] = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    } else {
      openTemplates(schema);
    }
  }
}

/** A version with the wanted fields of its specification. */
function trimmed(version, kind) {
  const wantedFields = SPEC_FIELDS[kind];
  if (wantedFields === undefined) {
    return version;
  }
  const copy = structuredClone(version);
  const { spec } = copy.schema.openAPIV3Schema.properties;
  keepFields(
    spec,
    wantedFields.map((path) => path.split('.')),
  );
  openTemplates(spec);
  return copy;
}

/** Leaves in a schema only what these paths lead to. */
function keepFields(schema, paths) {
  const fields = [...new Set(paths.map(([field]) => field))];
  schema.properties = Object.fromEntries(fields.map((field) => [field, schema.properties[field]]));
  for (const field of fields) {
    const below = paths.filter(([first, ...rest]) => first === field && rest.length > 0).map(([, ...rest]) => rest);
    if (below.length > 0) {
      keepFields(schema.properties[field], below);
    }
  }
}

const groups = wanted(await sources(process.argv[2]));
const missing = Object.keys(KINDS).filter((group) => groups.get(group)?.length !== Object.keys(KINDS[group]).length);
if (missing.length > 0) {
  throw new Error(`not all kinds were found of ${missing.join(', ')}`);
}
const folder = mkdtempSync(join(tmpdir(), 'crds-'));
for (const [group, crds] of groups) {
  const file = join(folder, `${group}.yaml`);
  const sorted = crds.sort((a, b) => (a.spec.names.kind < b.spec.names.kind ? -1 : 1));
  writeFileSync(file, sorted.map((crd) => stringify(crd)).join('---\n'));
  execFileSync('npx', ['cdk8s', 'import', file, '--language', 'typescript', '--output', 'imports', '--no-save'], {
    env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
rmSync(folder, { recursive: true });
