import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, ManifestObject } from '../../constructs/rules/output';

/** Folder with the programs of a control plane; `.ci/control-plane` builds one. */
const PROGRAMS = process.env.CDK8S_RAG_CONTROL_PLANE;

const NEEDED = ['etcd', 'kube-apiserver', 'kube-controller-manager'];

/** The fields are owned by whom they are owned in a cluster, so that takeovers are seen as there. */
const APPLY = 'fieldManager=argocd-controller&force=true&fieldValidation=Strict';

/**
 * Runs a program until the shell's input ends: whatever becomes of the test, its end of the pipe is closed then, and nothing
 * is left behind.
 */
const UNTIL_INPUT_ENDS = '"$@" & program=$!; cat >/dev/null; kill "$program"; wait "$program"';

/** Whether there is a control plane to test with; a test that needs one says so and is skipped. */
export function hasControlPlane(): boolean {
  const missing = PROGRAMS === undefined ? NEEDED : NEEDED.filter((program) => !existsSync(join(PROGRAMS, program)));
  if (missing.length > 0) {
    console.warn(
      `skipped: what needs a control plane; CDK8S_RAG_CONTROL_PLANE names no folder with ${missing.join(', ')}`,
    );
  }
  return missing.length === 0;
}

/** What the API server says. */
interface Answer {
  readonly status: number;
  /** The object, or why it was refused. */
  readonly body: Json;
  /** What `kubectl` would print as warnings. */
  readonly warnings: string[];
}

/** Where the API has the objects of a kind. */
interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** An API server with its store and controllers, on this machine alone. There are no nodes, so no pod runs. */
export class ControlPlane {
  private readonly folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  private readonly token = randomUUID();
  private readonly processes: ChildProcess[] = [];
  private readonly resources = new Map<string, Promise<Resource>>();
  private port = 0;
  private authority = Buffer.alloc(0);

  /** Starts everything, and waits until it is ready. */
  public async start(): Promise<void> {
    try {
      const [store, peers, port] = (await freePorts(3)) as [number, number, number];
      this.port = port;
      this.startStore(`http://127.0.0.1:${store}`, `http://127.0.0.1:${peers}`);
      this.startServer(`http://127.0.0.1:${store}`);
      await until('the API server is ready', () => this.isReady());
      this.startControllers();
      await until('controllers run', async () => {
        const { status } = await this.send('GET', '/api/v1/namespaces/default/serviceaccounts/default');
        return status === 200;
      });
    } catch (error) {
      const said = NEEDED.map((program) => `${program}:\n${this.lastWordsOf(program)}`);
      await this.stop();
      throw new Error([(error as Error).message, ...said].join('\n'));
    }
  }

  /** Ends everything, and waits for it. */
  public async stop(): Promise<void> {
    for (const child of this.processes.reverse()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null) {
        child.stdin?.end();
        await ended;
      }
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Applies an object as Argo CD does; the text is the file. */
  public async apply(object: ManifestObject, text: string): Promise<Answer> {
    return this.send('PATCH', `${await this.pathFor(object)}?${APPLY}`, text, 'application/apply-patch+yaml');
  }

  /** Applies an object that environments expect to be there, and that is no matter of the test. */
  public async provide(object: ManifestObject): Promise<void> {
    const { status, body } = await this.apply(object, JSON.stringify(object));
    if (status >= 300) {
      throw new Error(`cannot provide ${object.kind} ${object.metadata.name}: ${body.message}`);
    }
  }

  /** The object as it is in the cluster. */
  public async read(object: ManifestObject): Promise<Answer> {
    return this.send('GET', await this.pathFor(object));
  }

  /** Everything of a list, such as `/api/v1/events`. */
  public async list(path: string): Promise<Json[]> {
    const { body } = await this.send('GET', path);
    return body.items;
  }

  /** Deletes an object; a namespace with its content takes a while longer. */
  public async remove(object: ManifestObject): Promise<void> {
    await this.send('DELETE', await this.pathFor(object));
  }

  /** Waits until there is no such object. */
  public async absence(object: ManifestObject): Promise<void> {
    const { kind, metadata } = object;
    await until(`${kind} ${metadata.name} is gone`, async () => (await this.read(object)).status === 404);
  }

  /** Makes the kinds of these CRDs known. */
  public async install(crds: readonly ManifestObject[]): Promise<void> {
    await Promise.all(crds.map((crd) => this.provide(crd)));
    for (const crd of crds) {
      await until(`${crd.metadata.name} is served`, async () =>
        (await this.read(crd)).body.status?.conditions?.some(
          ({ type, status }: Json) => type === 'Established' && status === 'True',
        ),
      );
    }
  }

  private async isReady(): Promise<boolean> {
    if (!existsSync(this.certificate)) {
      return false;
    }
    this.authority = readFileSync(this.certificate);
    return (await this.send('GET', '/readyz').catch(() => undefined))?.status === 200;
  }

  private lastWordsOf(program: string): string {
    const log = this.pathOf(`${program}.log`);
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-20).join('\n') : 'was not started';
  }

  /** What the API server makes for itself. */
  private get certificate(): string {
    return this.pathOf('certificates', 'apiserver.crt');
  }

  private async pathFor({ apiVersion, kind, metadata }: ManifestObject): Promise<string> {
    const at = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${apiVersion} ${kind}`;
    const resource = this.resources.get(key) ?? this.discover(at, kind);
    this.resources.set(key, resource);
    const { plural, namespaced } = await resource;
    return [at, ...(namespaced ? ['namespaces', metadata.namespace] : []), plural, metadata.name].join('/');
  }

  private async discover(at: string, kind: string): Promise<Resource> {
    const found: Resource[] = [];
    // A CRD that was established a moment ago is discovered a moment later.
    await until(`the API server knows ${kind} of ${at}`, async () => {
      const { status, body } = await this.send('GET', at);
      const resources: Json[] = status === 200 ? body.resources : [];
      found.push(
        ...resources
          .filter((resource) => resource.kind === kind && !resource.name.includes('/'))
          .map(({ name, namespaced }) => ({ plural: name, namespaced })),
      );
      return found.length > 0;
    });
    return found[0] as Resource;
  }

  private send(method: string, path: string, body?: string, contentType = 'application/json'): Promise<Answer> {
    const options = {
      method,
      ca: this.authority,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': contentType },
    };
    return new Promise((resolve, reject) => {
      const sent = request(`https://127.0.0.1:${this.port}${path}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { warning } = response.headers;
          resolve({
            status: response.statusCode ?? 0,
            body: response.headers['content-type'] === 'application/json' ? JSON.parse(text) : text,
            warnings: warning === undefined ? [] : [String(warning)],
          });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  private startStore(clients: string, peers: string): void {
    this.run('etcd', [
      `--data-dir=${this.pathOf('etcd')}`,
      `--listen-client-urls=${clients}`,
      `--advertise-client-urls=${clients}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      '--unsafe-no-fsync',
    ]);
  }

  private startServer(store: string): void {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    this.write('service-accounts.key', privateKey);
    this.write('service-accounts.pub', publicKey);
    this.write('tokens.csv', `${this.token},test,test,system:masters\n`);
    this.run('kube-apiserver', [
      `--etcd-servers=${store}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.port}`,
      `--cert-dir=${this.pathOf('certificates')}`,
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      `--token-auth-file=${this.pathOf('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.pathOf('service-accounts.pub')}`,
      `--service-account-signing-key-file=${this.pathOf('service-accounts.key')}`,
    ]);
  }

  private startControllers(): void {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: `https://127.0.0.1:${this.port}`, 'certificate-authority': this.certificate },
        },
      ],
      users: [{ name: 'test', user: { token: this.token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    };
    this.write('kubeconfig', JSON.stringify(config));
    this.run('kube-controller-manager', [
      `--kubeconfig=${this.pathOf('kubeconfig')}`,
      '--secure-port=0',
      '--leader-elect=false',
      `--service-account-private-key-file=${this.pathOf('service-accounts.key')}`,
      '--horizontal-pod-autoscaler-sync-period=1s',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ]);
  }

  private run(program: string, args: string[]): void {
    const command = ['-c', UNTIL_INPUT_ENDS, 'sh', join(PROGRAMS as string, program), ...args];
    const log = openSync(this.pathOf(`${program}.log`), 'w');
    this.processes.push(spawn('sh', command, { stdio: ['pipe', log, log] }));
    closeSync(log);
  }

  private write(name: string, text: string): void {
    writeFileSync(this.pathOf(name), text, { mode: 0o600 });
  }

  private pathOf(...names: string[]): string {
    return join(this.folder, ...names);
  }
}

/** Waits until something is so. */
export async function until(what: string, holds: () => Promise<boolean | undefined>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`waited too long until ${what}`);
    }
    await new Promise((resume) => setTimeout(resume, 200));
  }
}

/** Ports that are free now, all of them different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
