import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { ApiServerAccess } from '../network/api-server-access';
import type { PodNetworkPolicy } from '../network/pod-network-policy';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';
import { type Mount, Volume } from './volume';

/** What pods may do with objects of their namespace through the API server, as in a rule of a Role. */
export interface ApiAccessRule {
  /** Groups of the API, each by its name: `apps`; `''` is the core. */
  readonly apiGroups: string[];

  /** Resources by their plural names, and their subresources: `configmaps`, `pods/log`. */
  readonly resources: string[];

  /** What is done with them: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  readonly verbs: string[];

  /**
   * Names of the objects, which exist by then or are updated only: nothing that is created has a name to ask for.
   * @default - every object of the namespace
   */
  readonly resourceNames?: string[];
}

/** Whose access it is. */
export interface ApiAccessProps {
  /** What is allowed. */
  readonly rules: ApiAccessRule[];
  /** Namespace of the pods. */
  readonly namespace: string;
  /** Metadata of the objects that belong to the workload; they are named like it, and so is its ServiceAccount. */
  readonly metadata: k8s.ObjectMeta;
  /** Labels that select the pods. */
  readonly podLabels: { readonly [label: string]: string };
  /** Policy of the pods. */
  readonly policy: PodNetworkPolicy;
}

/** Where clients of the API server look for their token (Kubernetes docs, "Accessing the Kubernetes API from a Pod"). */
const TOKEN_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The ConfigMap with the authority of the API server, which is in every namespace (Kubernetes docs, "Service Accounts"). */
const AUTHORITY = { name: 'kube-root-ca.crt', key: 'ca.crt' };

/**
 * What a workload may ask of the API server: a Role of its own in its namespace, and the way there. The token is
 * projected into the main container, is for an hour, and is renewed; no other container has one.
 */
export class ApiAccess extends Construct {
  /** What is allowed. */
  public readonly role: k8s.KubeRole;
  /** To whom. */
  public readonly roleBinding: k8s.KubeRoleBinding;

  /** @internal */
  public constructor(scope: Construct, id: string, props: ApiAccessProps) {
    super(scope, id);
    const { rules, namespace, metadata, podLabels, policy } = props;
    const name = String(metadata.name);
    rules.forEach((rule, index) => {
      checkRule(scope, `apiAccess.${index}`, rule);
    });
    this.role = new k8s.KubeRole(this, 'Role', {
      metadata,
      rules: rules.map(({ apiGroups, resources, verbs, resourceNames }) => ({
        apiGroups: [...apiGroups],
        resources: [...resources],
        verbs: [...verbs],
        resourceNames: resourceNames && [...resourceNames],
      })),
    });
    this.roleBinding = new k8s.KubeRoleBinding(this, 'RoleBinding', {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
    new ApiServerAccess(this, 'ApiServer', {
      policy,
      labels: podLabels,
      metadata: { ...metadata, name: `${name}-api-server` },
    });
    ExternalReferences.of(this).declare({ kind: 'ConfigMap', namespace, ...AUTHORITY });
  }

  /** The token, where clients look for it. */
  public get token(): Mount {
    return { volume: Volume._apiToken('api-token', AUTHORITY), path: TOKEN_DIRECTORY };
  }
}

/** With these somebody gets more than the rule says (Kubernetes docs, "Role Based Access Control Good Practices"). */
const ESCALATING = ['bind', 'escalate', 'impersonate'];

/** What a word of a rule looks like. */
const FORMS: { readonly [list: string]: RegExp } = {
  apiGroups: /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$/,
  resources: /^[a-z]+(\/[a-z]+)?$/,
  verbs: /^[a-z]+$/,
};

function checkRule(scope: Construct, property: string, rule: ApiAccessRule): void {
  const { apiGroups, resources, verbs, resourceNames } = rule;
  for (const [list, words] of Object.entries({ apiGroups, resources, verbs })) {
    checkWords(scope, `${property}.${list}`, words, FORMS[list] as RegExp);
  }
  checkNames(scope, `${property}.resourceNames`, rule);
  const escalating = verbs.find((verb) => ESCALATING.includes(verb));
  if (escalating !== undefined) {
    throw new UsageError(`has ${escalating}, with which pods give themselves what others may; leave it out`, {
      scope,
      property: `${property}.verbs`,
    });
  }
  if (apiGroups.includes('') && resources.includes('secrets')) {
    checkSecrets(scope, property, verbs, resourceNames);
  }
}

function checkWords(scope: Construct, property: string, words: string[], form: RegExp): void {
  if (words.length === 0) {
    throw new UsageError('is empty; name at least one', { scope, property });
  }
  if (words.some((word) => word.includes('*'))) {
    throw new UsageError(
      'has "*", which allows whatever there is and whatever a later release adds; name each that is needed',
      { scope, property },
    );
  }
  const wrong = words.find((word) => !form.test(word));
  if (wrong !== undefined) {
    throw new UsageError(`has "${wrong}", but must have names in lower case, as kubectl api-resources shows them`, {
      scope,
      property,
    });
  }
}

/** No names at all are every name, and what is created has none yet when it is judged. */
function checkNames(scope: Construct, property: string, { verbs, resourceNames }: ApiAccessRule): void {
  if (resourceNames === undefined) {
    return;
  }
  if (resourceNames.length === 0) {
    throw new UsageError('is empty, which would be every object; name at least one, or leave it out', {
      scope,
      property,
    });
  }
  const problem = resourceNames.map((name) => dnsSubdomainProblem(name, 253)).find(Boolean);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property });
  }
  if (verbs.includes('create')) {
    throw new UsageError('cannot limit create, because what is created has no name yet; make that a rule of its own', {
      scope,
      property,
    });
  }
}

function checkSecrets(scope: Construct, property: string, verbs: string[], names: string[] | undefined): void {
  const listing = verbs.find((verb) => verb === 'list' || verb === 'watch');
  if (listing !== undefined) {
    throw new UsageError(
      `has ${listing} for secrets, which hands out the values of all in the namespace; refer to the keys that are needed with SecretKey`,
      { scope, property: `${property}.verbs` },
    );
  }
  if (verbs.includes('get') && names === undefined) {
    throw new UsageError('is missing, so every Secret of the namespace could be read; name those that are needed', {
      scope,
      property: `${property}.resourceNames`,
    });
  }
}
