import type { ManifestObject } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';

type Model = new (data: ManifestObject) => { validate(): void };

const CUSTOM_GROUPS =
  /^(keda\.sh|external-secrets\.io|cert-manager\.io|cilium\.io|gateway\.networking\.k8s\.io|secrets-store\.csi\.x-k8s\.io|(postgresql|barmancloud)\.cnpg\.io|kafka\.strimzi\.io|rabbitmq\.com|monitoring\.coreos\.com)\//;

/** The model of a core kind. */
function modelOf({ apiVersion, kind }: ManifestObject): Model | undefined {
  try {
    return require(`kubernetes-models/${apiVersion}/${kind}`)[kind];
  } catch {
    return undefined;
  }
}

describe.each(EACH_ENVIRONMENT)('%s', (_, { objects }) => {
  const core = objects.filter(({ apiVersion }) => !CUSTOM_GROUPS.test(apiVersion));

  test.each(core.map((object): [string, ManifestObject] => [`${object.kind}/${object.metadata.name}`, object]))(
    '%s is what kubernetes-models takes for valid',
    (_name, object) => {
      const Model = modelOf(object);
      expect(Model).toBeDefined();
      expect(() => new (Model as Model)(object).validate()).not.toThrow();
    },
  );
});
