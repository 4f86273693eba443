/** A setting of Qdrant that follows from settings of the library, or that would do nothing. */
interface Derived {
  /** Variables that would contradict it; Qdrant takes them in any case. */
  readonly variables: RegExp;
  /** Why it is refused, and what to do instead. */
  readonly problem: string;
}

/**
 * What `env` of a Qdrant cannot say. Variables win over the configuration file (Qdrant docs, "Configuration"), so each of
 * these would contradict Services, probes, policies, volumes or checks of the library.
 */
const DERIVED: readonly Derived[] = [
  {
    variables: /^QDRANT__SERVICE__(HOST|HTTP_PORT|GRPC_PORT|METRICS_PORT)$|^QDRANT__CLUSTER__P2P__PORT$/,
    problem:
      'but Services, probes and network policies lead to 6333, 6334, 6335 and 6336 on every address; leave it out',
  },
  {
    variables: /^QDRANT__SERVICE__(API_KEY|ALT_API_KEY|READ_ONLY_API_KEY)$/,
    problem: 'but the keys are settings, which clients get as well; use apiKey, alternativeApiKey or readOnlyApiKey',
  },
  {
    variables: /^QDRANT__SERVICE__(JWT_RBAC|ENFORCE_INTERNAL_AUTH)$/,
    problem: 'but tokens of clients and the authentication between nodes depend on it; leave it out',
  },
  {
    variables:
      /^QDRANT__(SERVICE__ENABLE_TLS|SERVICE__VERIFY_HTTPS_CLIENT_CERTIFICATE|CLUSTER__P2P__ENABLE_TLS|TLS__.*)$/,
    problem: 'but addresses, probes and the certificates of clients follow from tls; use that',
  },
  {
    variables: /^RUN_MODE$/,
    problem:
      'but the settings of the library are in production.yaml, which Qdrant reads in the mode of its image; leave it out',
  },
  {
    variables: /^QDRANT__CLUSTER__PEER_ID$/,
    problem: 'but every node would have the same id, and a cluster needs different ones; leave it out',
  },
  {
    variables: /^QDRANT__STORAGE__NODE_TYPE$/,
    problem: 'but every node would have the same type, and listeners answer no searches; leave it out',
  },
  {
    variables: /^QDRANT__STORAGE__COLLECTION__STRICT_MODE(__.*)?$/,
    problem:
      'but these limits would hold for each collection that is created, unchecked; use strictMode of a QdrantCollection',
  },
  {
    variables: /^QDRANT__CLUSTER__ENABLED$|^QDRANT_(URI|BOOTSTRAP)$/,
    problem: 'but nodes says whether there is a cluster, and each node finds it by itself; use nodes',
  },
  {
    variables: /^QDRANT__CLUSTER__GRPC_TIMEOUT_MS$/,
    problem: 'but strictMode.maxTimeout is checked against its default of 60 s; leave it out',
  },
  {
    variables: /^QDRANT__STORAGE__(STORAGE_PATH|TEMP_PATH)$/,
    problem: 'but only the mounted volumes can be written; leave it out',
  },
  {
    variables: /^QDRANT__STORAGE__SNAPSHOTS_(PATH|CONFIG__.*)$/,
    problem: 'but snapshots says where they are kept; use that',
  },
  {
    variables: /^QDRANT__STORAGE__QUOTAS__/,
    problem:
      'but Qdrant reads quotas from its configuration at its first start only (quota.json); change them with PUT /quotas',
  },
  {
    variables: /^QDRANT__STORAGE__COLLECTION__REPLICATION_FACTOR$/,
    problem: 'but replicationFactor says how many copies there are; use that',
  },
  { variables: /^QDRANT__AUDIT__/, problem: 'but audit says what is logged, on a volume for it; use that' },
  {
    variables: /^QDRANT_ALLOW_RECOVERY_MODE$/,
    problem:
      "but only the image's entrypoint reads it, which is not run; set QDRANT__STORAGE__RECOVERY_MODE when a node does not " +
      'load for want of memory',
  },
];

/**
 * Variables with one underscore after QDRANT that Qdrant reads, besides those that are refused above (Qdrant 1.19,
 * lib/common/common/src/cpu.rs and mmap/ops.rs, src/startup.rs). The library sets the last one.
 */
const WITH_ONE_UNDERSCORE = ['QDRANT_NUM_CPUS', 'QDRANT_NO_MULTI_MMAP', 'QDRANT_INIT_FILE_PATH'];

/** Why a variable cannot be set; undefined when it can. */
export function variableProblem(name: string): string | undefined {
  const derived = DERIVED.find(({ variables }) => variables.test(name.toUpperCase()));
  if (derived !== undefined) {
    return `has ${name}, ${derived.problem}`;
  }
  if (!/^QDRANT_(?!_)/i.test(name) || WITH_ONE_UNDERSCORE.includes(name)) {
    return undefined;
  }
  return (
    `has ${name}, but Qdrant reads of such names only ${WITH_ONE_UNDERSCORE.join(', ')}; put two underscores after QDRANT ` +
    'and between the levels of a setting: QDRANT__STORAGE__ON_DISK_PAYLOAD'
  );
}
