import { Duration, Size } from 'cdk8s';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Probe } from '../../../constructs/workload/probe';
import { Volume } from '../../../constructs/workload/volume';
import { KEY } from '../../support/values';
import { containerWith } from '../../support/workloads';

const HTTP = { name: 'http', number: 8080, appProtocol: 'http' };

describe('a container', () => {
  test('of which little is said has that, the hardening, and nothing else', () => {
    expect(containerWith({})).toEqual({
      name: 'api',
      image: 'ghcr.io/acme/program:1.2.3',
      imagePullPolicy: 'IfNotPresent',
      resources: {
        requests: { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '256Mi' },
        limits: { memory: '1Gi', 'ephemeral-storage': '256Mi' },
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    });
  });

  test('has no lists with nothing in them', () => {
    const container = containerWith({ ports: [], env: {}, mounts: [] });
    expect(container).toEqual(containerWith({}));
  });

  test('runs the command with the arguments, and listens on the ports', () => {
    const container = containerWith({ command: ['server'], args: ['--port', '8080'], ports: [HTTP] });
    expect(container.command).toEqual(['server']);
    expect(container.args).toEqual(['--port', '8080']);
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
  });

  test.each([
    ['startup', 'startupProbe'],
    ['readiness', 'readinessProbe'],
    ['liveness', 'livenessProbe'],
  ])('with a %s probe has that one only', (property, field) => {
    const container = containerWith({ ports: [HTTP], [property]: Probe.http('/health', HTTP) });
    expect(container[field].httpGet.path).toBe('/health');
    expect(Object.keys(container).filter((name) => name.endsWith('Probe'))).toEqual([field]);
  });

  test('waits before it is told to stop, when it shall', () => {
    expect(containerWith({ preStopDelay: Duration.seconds(20) }).lifecycle).toEqual({
      preStop: { exec: { command: ['sleep', '20'] } },
    });
  });

  test('runs something as it starts, when it shall', () => {
    const postStart = { exec: { command: ['rm', '-f', '/run/file'] } };
    expect(containerWith({ postStart: ['rm', '-f', '/run/file'] }).lifecycle).toEqual({ postStart });
    expect(
      containerWith({ postStart: ['rm', '-f', '/run/file'], preStopDelay: Duration.seconds(5) }).lifecycle,
    ).toEqual({ postStart, preStop: { exec: { command: ['sleep', '5'] } } });
    expect(containerWith({})).not.toHaveProperty('lifecycle');
  });
});

describe('variables', () => {
  test('stand in the order in which they were set, and those that refer to others last', () => {
    const { env } = containerWith({
      env: {
        URL: EnvValue.template('http://$(USER)@host'),
        ZONE: EnvValue.of('a'),
        USER: EnvValue.fromSecret(KEY),
        NODE: EnvValue.fromPod('spec.nodeName'),
      },
    });
    expect(env).toEqual([
      { name: 'ZONE', value: 'a' },
      { name: 'USER', valueFrom: { secretKeyRef: { name: 'existing', key: 'key' } } },
      { name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
      { name: 'URL', value: 'http://$(USER)@host' },
    ]);
  });
});

describe('a mount', () => {
  const secret = Volume.secret('secret', [KEY]);
  const scratch = Volume.scratch('scratch', Size.mebibytes(10));

  test.each([
    ['of a Secret is read-only', { volume: secret }, { readOnly: true }],
    ['of a Secret is writable when asked for', { volume: secret, readOnly: false }, {}],
    ['of scratch space is writable', { volume: scratch }, {}],
    ['of scratch space is read-only when asked for', { volume: scratch, readOnly: true }, { readOnly: true }],
  ])('%s', (_, mount, rights) => {
    const mounts = containerWith({ mounts: [{ ...mount, path: '/data' }] }).volumeMounts;
    expect(mounts).toEqual([{ name: mount.volume.name, mountPath: '/data', ...rights }]);
  });

  test('shows a part of the volume', () => {
    const mounts = containerWith({ mounts: [{ volume: scratch, path: '/data', subPath: 'part' }] }).volumeMounts;
    expect(mounts).toEqual([{ name: 'scratch', mountPath: '/data', subPath: 'part' }]);
  });
});
