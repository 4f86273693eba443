import { ExternalReferences } from '../../constructs/rules/external-references';
import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { matches, podsOf } from '../support/pods';

/** Keys of Secrets that operators read, by the kind of the object that names them. */
const READ_BY_OPERATORS: { readonly [kind: string]: (spec: Json) => [string, string][] } = {
  Cluster: ({ bootstrap }) => {
    const { secret } = bootstrap.initdb;
    return secret === undefined ? [] : ['username', 'password'].map((key) => [secret.name, key]);
  },
  ObjectStore: ({ configuration }) => {
    const { s3Credentials, azureCredentials, googleCredentials } = configuration;
    const credentials: Json[] = Object.values(s3Credentials ?? azureCredentials ?? googleCredentials);
    return credentials.flatMap((key) => (typeof key === 'object' ? [[key.name, key.key]] : []));
  },
  PodMonitor: ({ podMetricsEndpoints }) =>
    podMetricsEndpoints.flatMap(({ tlsConfig }: Json) => {
      const { secret } = tlsConfig?.ca ?? {};
      return secret === undefined ? [] : [[secret.name, secret.key]];
    }),
  RabbitmqCluster: ({ tls }) =>
    tls === undefined
      ? []
      : [
          [tls.secretName, 'tls.crt'],
          [tls.secretName, 'tls.key'],
          [tls.caSecretName, 'ca.crt'],
        ],
};

describe.each(EACH_ENVIRONMENT)('%s: every reference resolves', (_, { objects, app }) => {
  const pods = podsOf(objects);
  const operated = operatedPods(objects);
  const has = (kind: string, name: string) =>
    objects.some((object) => object.kind === kind && object.metadata.name === name);
  const external = ExternalReferences.of(app).all.map(({ kind, name, key }) => [kind, name, key].join('/'));
  const isExternal = (kind: string, name: string, key?: string) =>
    external.includes([kind, name, key].join('/')) || external.includes(`${kind}/${name}/`);

  /** Keys of the Secrets that ExternalSecrets, SecretProviderClasses and Certificates create. */
  const created = objects.flatMap(({ kind, spec }) => {
    if (kind === 'ExternalSecret') {
      const keys: string[] = spec.data.map(({ secretKey }: Json) => secretKey);
      return [...keys, ...Object.keys(spec.target.template?.data ?? {})].map((key) => `${spec.target.name}/${key}`);
    }
    if (kind === 'SecretProviderClass') {
      return spec.secretObjects.flatMap(({ secretName, data }: Json) =>
        data.map(({ key }: Json) => `${secretName}/${key}`),
      );
    }
    return kind === 'Certificate' ? ['tls.crt', 'tls.key', 'ca.crt'].map((key) => `${spec.secretName}/${key}`) : [];
  });

  test('Secrets that exist only in pods that mount them', () => {
    const classes = objects.filter(({ kind }) => kind === 'SecretProviderClass').map(({ metadata }) => metadata.name);
    for (const { containers, spec } of pods) {
      const read: string[] = containers.flatMap(({ env = [] }) =>
        env.flatMap(({ valueFrom }: Json) => valueFrom?.secretKeyRef?.name ?? []),
      );
      const mounted: Json[] = (spec.volumes ?? []).filter(({ csi }: Json) => csi !== undefined);
      const names = mounted.map(({ csi }) => csi.volumeAttributes.secretProviderClass);
      expect(names).toEqual(expect.arrayContaining(read.filter((name) => classes.includes(name))));
      const used = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }: Json) => name));
      expect(used).toEqual(expect.arrayContaining(mounted.map(({ name }) => name)));
    }
  });

  test('keys of Secrets', () => {
    const fromEnv: Json[] = pods.flatMap(({ containers }) =>
      containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }: Json) => valueFrom?.secretKeyRef ?? [])),
    );
    const fromVolumes: Json[] = pods.flatMap(({ spec }) =>
      (spec.volumes ?? []).flatMap(({ secret }: Json) =>
        (secret?.items ?? []).map(({ key }: Json) => ({ name: secret.secretName, key })),
      ),
    );
    const fromTriggers: Json[] = objects.flatMap(({ spec }) => spec?.secretTargetRef ?? []);
    for (const { name, key } of [...fromEnv, ...fromVolumes, ...fromTriggers]) {
      expect([name, key, created.includes(`${name}/${key}`) || isExternal('Secret', name, key)]).toEqual([
        name,
        key,
        true,
      ]);
    }
  });

  test('what templates of Secrets are filled with, beside which the Secret keeps its keys', () => {
    for (const { spec } of objects.filter(({ kind }) => kind === 'ExternalSecret')) {
      const { data = {}, mergePolicy } = spec.target.template ?? {};
      const keys: string[] = spec.data.map(({ secretKey }: Json) => secretKey);
      for (const [key, text] of Object.entries<string>(data)) {
        expect(keys).not.toContain(key);
        expect(keys).toContain(/^\{\{ index \. "([^"]+)" /.exec(text)?.[1]);
        expect(mergePolicy).toBe('Merge');
      }
    }
  });

  test('stores of Secrets, and who reads them', () => {
    for (const { spec } of objects.filter(({ kind }) => kind === 'ExternalSecret')) {
      const { kind, name } = spec.secretStoreRef;
      expect([kind, name, has(kind, name) || isExternal(kind, name)]).toEqual([kind, name, true]);
    }
    for (const { spec } of objects.filter(({ kind }) => kind === 'SecretStore')) {
      const [, account] = /"serviceAccountRef":\{"name":"([^"]+)"\}/.exec(JSON.stringify(spec)) ?? [];
      expect([account, account === undefined || has('ServiceAccount', account)]).toEqual([account, true]);
    }
  });

  test('ConfigMaps and their keys, claims, and mounts', () => {
    for (const { owner, spec, containers } of pods) {
      const volumes = [
        ...(spec.volumes ?? []),
        ...(owner.spec.volumeClaimTemplates ?? []).map(({ metadata }: Json) => metadata),
      ];
      for (const { name, subPath } of containers.flatMap(({ volumeMounts = [] }) => volumeMounts)) {
        const volume = volumes.find((candidate: Json) => candidate.name === name);
        expect(volume).toBeDefined();
        if (volume.configMap !== undefined) {
          const config = objects.find(
            ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === volume.configMap.name,
          );
          expect(Object.keys(config?.data)).toContain(subPath);
        }
      }
    }
  });

  test('service accounts, pull secrets, runtime and priority classes', () => {
    for (const { spec } of pods) {
      expect(has('ServiceAccount', spec.serviceAccountName)).toBe(true);
      for (const { name } of spec.imagePullSecrets ?? []) {
        expect(isExternal('Secret', name)).toBe(true);
      }
      for (const [kind, name] of [
        ['RuntimeClass', spec.runtimeClassName],
        ['PriorityClass', spec.priorityClassName],
      ]) {
        expect(name === undefined || isExternal(kind, name)).toBe(true);
      }
    }
  });

  test('pull secrets, priority and storage classes of pods that operators make', () => {
    for (const { title, spec } of operated) {
      const wanted: [string, string | undefined][] = [
        ['PriorityClass', spec.priorityClassName],
        ...(spec.imagePullSecrets ?? []).map(({ name }: Json) => ['Secret', name]),
        ...(spec.claims ?? []).map((name: string | undefined) => ['StorageClass', name]),
      ];
      const named = wanted.flatMap(([kind, name]) => (name === undefined ? [] : [{ kind, name }]));
      expect([title, named.filter(({ kind, name }) => !isExternal(kind, name))]).toEqual([title, []]);
    }
  });

  test('Secrets that operators read', () => {
    const read = objects.flatMap(({ kind, spec }) => READ_BY_OPERATORS[kind]?.(spec) ?? []);
    for (const [name, key] of read) {
      expect([name, key, created.includes(`${name}/${key}`) || isExternal('Secret', name, key)]).toEqual([
        name,
        key,
        true,
      ]);
    }
  });

  test('claims of shared volumes', () => {
    const names: string[] = pods.flatMap(({ spec }) =>
      (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }: Json) => persistentVolumeClaim?.claimName ?? []),
    );
    expect(names.filter((name) => !has('PersistentVolumeClaim', name))).toEqual([]);
  });

  test('storage classes', () => {
    const claims: Json[] = [
      ...pods.flatMap(({ owner }) => owner.spec.volumeClaimTemplates ?? []),
      ...objects.filter(({ kind }) => kind === 'PersistentVolumeClaim'),
    ];
    const classes: string[] = claims.flatMap(({ spec }) => spec.storageClassName ?? []);
    expect(classes.filter((name) => !isExternal('StorageClass', name))).toEqual([]);
  });

  test('what autoscalers scale and authenticate with', () => {
    for (const { spec } of objects.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind))) {
      expect(has(spec.scaleTargetRef.kind, spec.scaleTargetRef.name)).toBe(true);
      for (const { authenticationRef } of spec.triggers ?? []) {
        expect(authenticationRef === undefined || has('TriggerAuthentication', authenticationRef.name)).toBe(true);
      }
    }
  });

  test('what Services, budgets and policies select', () => {
    for (const { kind, metadata, spec } of objects) {
      const selector =
        kind === 'Service'
          ? { matchLabels: spec.selector }
          : kind === 'PodDisruptionBudget'
            ? spec.selector
            : undefined;
      if (selector !== undefined) {
        expect([metadata.name, [...pods, ...operated].some(({ labels }) => matches(labels, selector))]).toEqual([
          metadata.name,
          true,
        ]);
      }
    }
  });

  test('where routes lead', () => {
    const services = new Map(
      objects.filter(({ kind }) => kind === 'Service').map(({ metadata, spec }) => [metadata.name, spec]),
    );
    const rules: Json[] = objects.flatMap(({ kind, spec }) =>
      ['HTTPRoute', 'Ingress'].includes(kind) ? spec.rules : [],
    );
    const backends: Json[] = rules.flatMap(({ backendRefs = [], http }) => [
      ...backendRefs,
      ...(http?.paths ?? []).map(({ backend }: Json) => backend.service),
    ]);
    for (const { name, port } of backends) {
      expect(services.get(name).ports.map((open: Json) => open.port)).toContain(port.number ?? port);
    }
  });

  test('what routes go through', () => {
    const gateways = new Map(
      objects.filter(({ kind }) => kind === 'Gateway').map(({ metadata, spec }) => [metadata.name, spec.listeners]),
    );
    for (const { name, sectionName } of objects.flatMap(({ spec }) => spec?.parentRefs ?? [])) {
      const listeners = gateways.get(name)?.map((listener: Json) => listener.name);
      expect(listeners?.includes(sectionName) ?? isExternal('Gateway', name)).toBe(true);
    }
    const classes = objects.flatMap(({ spec }) => [
      ...(spec?.ingressClassName === undefined ? [] : [['IngressClass', spec.ingressClassName]]),
      ...(spec?.gatewayClassName === undefined ? [] : [['GatewayClass', spec.gatewayClassName]]),
    ]);
    expect(classes.filter(([kind, name]) => !isExternal(kind, name))).toEqual([]);
  });

  test('probes ask ports that are open', () => {
    for (const container of pods.flatMap(({ containers }) => containers)) {
      const open = (container.ports ?? []).map(({ containerPort }: Json) => containerPort);
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
        const port = (probe?.httpGet ?? probe?.tcpSocket ?? probe?.grpc)?.port;
        expect(port === undefined || open.includes(port)).toBe(true);
      }
    }
  });

  test('nothing is declared that nothing refers to', () => {
    const text = JSON.stringify(objects);
    for (const { kind, name } of ExternalReferences.of(app).all) {
      // Pods are declared by their labels.
      for (const part of kind === 'Pod' ? name.split(',').map((label) => label.replace('=', '":"')) : [name]) {
        expect(text).toContain(`"${part}"`);
      }
    }
  });
});
