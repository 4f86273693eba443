import { Lazy, type Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Cluster } from '../placement/cluster';
import { Spread } from '../placement/spread';
import { blockStorageProblem } from '../placement/storage-class';
import { ExternalReferences } from '../rules/external-references';
import { dnsLabelProblem, dnsSubdomainProblem } from '../rules/object-name';
import { sizeQuantity } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import { DisruptionBudget } from '../scaling/disruption-budget';
import { Workload, type WorkloadProps } from './workload';

/** A volume that each pod keeps over restarts and updates. */
export interface ClaimTemplate {
  /** Name of the claim; a {@link Volume.claim} of this name mounts it. */
  readonly name: string;

  /** Size of the volume. A StatefulSet's claims cannot be changed later without recreating it. */
  readonly size: Size;

  /**
   * Storage class, of block volumes.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;
}

/** Pods with an identity and volumes of their own. */
export interface StatefulSetProps extends WorkloadProps {
  /** Pods; nothing scales them by itself. */
  readonly replicas: number;

  /** Volumes of each pod. */
  readonly claims: ClaimTemplate[];

  /** Name of the headless Service that gives the pods their DNS names. */
  readonly serviceName: string;

  /**
   * Whether pods start all at once instead of one after the other. Members of a cluster that become ready
   * only together must.
   * @default false
   */
  readonly parallel?: boolean;

  /**
   * Whether the pods are members of a quorum: they are kept on different nodes and in different zones, and
   * at most one may be away.
   * @default false
   */
  readonly quorum?: boolean;
}

/** A StatefulSet with its disruption budget, ServiceAccount and network policy. */
export class StatefulSet extends Workload {
  /** The StatefulSet. */
  public readonly statefulSet: k8s.KubeStatefulSet;
  /** The disruption budget; none for a single pod. */
  public readonly disruptionBudget?: k8s.KubePodDisruptionBudget;

  public constructor(scope: Construct, id: string, props: StatefulSetProps) {
    const spread = props.quorum === true ? Spread.REQUIRED : Spread.PREFERRED;
    super(scope, id, 'StatefulSet', { ...props, spread: props.replicas > 1 ? spread : undefined });
    checkWholeNumber('replicas', props.replicas, 0, this);
    checkClaims(this, props.claims);
    this.statefulSet = this.createStatefulSet(props);
    const budget = props.quorum === true ? DisruptionBudget.QUORUM : DisruptionBudget.STATELESS;
    this.disruptionBudget = budget._bind(this, this.pods, this.metadata(), props.replicas);
    this.claimAccelerators(props.replicas);
  }

  private createStatefulSet(props: StatefulSetProps): k8s.KubeStatefulSet {
    return new CompleteStatefulSet(this, 'Resource', {
      metadata: this.lastingMetadata(),
      spec: {
        replicas: props.replicas,
        serviceName: props.serviceName,
        // Ordered, a pod that never gets ready would block even the update that mends it.
        podManagementPolicy: props.parallel === true || props.replicas === 1 ? 'Parallel' : 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate' },
        // Data outlives the StatefulSet and a smaller scale, whoever caused them.
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        selector: { matchLabels: this.pods.labels },
        template: Lazy.any({ produce: () => this.template.render() }),
        volumeClaimTemplates:
          props.claims.length === 0 ? undefined : props.claims.map((claim) => this.renderClaim(claim)),
      },
    });
  }

  private renderClaim(claim: ClaimTemplate): k8s.KubePersistentVolumeClaimProps {
    return {
      metadata: { name: claim.name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: sizeQuantity(claim.size) } },
        storageClassName: this.storageClassOf(claim),
        volumeMode: 'Filesystem',
      },
    };
  }

  private storageClassOf(claim: ClaimTemplate): string | undefined {
    const cluster = Cluster.of(this);
    const storageClass = claim.storageClass ?? cluster.storage.block;
    if (storageClass === undefined) {
      return undefined;
    }
    const problem =
      dnsSubdomainProblem(storageClass) ??
      blockStorageProblem(storageClass, cluster.storage.shared, cluster.storage.block);
    if (problem !== undefined) {
      throw new UsageError(problem, { scope: this, property: 'storageClass' });
    }
    ExternalReferences.of(this).declare({ kind: 'StorageClass', name: storageClass });
    return storageClass;
  }
}

function checkClaims(scope: Construct, claims: ClaimTemplate[]): void {
  for (const { name } of claims) {
    const problem = dnsLabelProblem(name);
    if (problem !== undefined) {
      throw new UsageError(problem, { scope, property: 'claims.name' });
    }
  }
  const names = claims.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new UsageError(`has two claims named "${twice}"; rename one`, { scope, property: 'claims' });
  }
}

/**
 * The API server returns claim templates with their apiVersion and kind, which the typed object leaves out;
 * without them the StatefulSet would never be in sync.
 */
class CompleteStatefulSet extends k8s.KubeStatefulSet {
  public override toJson(): object {
    const json = super.toJson();
    const claims: object[] | undefined = json.spec.volumeClaimTemplates;
    const complete = claims?.map((claim) => ({ ...k8s.KubePersistentVolumeClaim.GVK, ...claim }));
    return complete === undefined ? json : { ...json, spec: { ...json.spec, volumeClaimTemplates: complete } };
  }
}
