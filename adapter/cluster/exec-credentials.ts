/**
 * Runs credential plugins (`users[].user.exec`) as kubectl does.
 * client-node's own runner gives no KUBERNETES_EXEC_INFO, starts one plugin per request at a time, hides why it failed
 * and keeps credentials that the server has refused; so this one takes its place through its Authenticator interface.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
import { spawn } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Log } from '../diagnostics/log.ts';
import { elapsed } from '../elapsed.ts';
import { Problem } from '../problem.ts';

export const execProvider = 'kubernetes-local/exec';

export const execSchema = z.looseObject({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  command: z.string(),
  args: z
    .array(z.string())
    .nullish()
    .transform((args) => args ?? []),
  env: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .nullish()
    .transform((env) => env ?? []),
  interactiveMode: z.string().optional(),
  provideClusterInfo: z.boolean().default(false),
  installHint: z.string().default(''),
});

const credentialSchema = z.looseObject({
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

type Credential = z.infer<typeof credentialSchema>['status'];
/** Credentials that end within this time are asked for again, so that they do not end on the way. */
const expirySkew = 10_000;
/** A plugin that failed may have opened a browser; it does not do so again for each request that is waiting. */
const failureHolds = 10_000;

/** client-node does not export the interface itself. */
type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0];

export class ExecCredentials implements Authenticator {
  readonly #cluster: Cluster;
  readonly #log: Log;
  #credential: Promise<Credential> | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;

  constructor(cluster: Cluster, log: Log) {
    this.#cluster = cluster;
    this.#log = log;
  }

  isAuthProvider(user: User): boolean {
    return user.authProvider?.name === execProvider;
  }

  async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    const credential = await this.#current(execSchema.parse(user.authProvider.config));
    if (credential.clientCertificateData) options.cert = credential.clientCertificateData;
    if (credential.clientKeyData) options.key = credential.clientKeyData;
    if (credential.token) options.headers = { ...options.headers, Authorization: `Bearer ${credential.token}` };
  }

  /** The server refused the credential: the plugin will be asked again. */
  forget(): void {
    this.#credential = undefined;
  }

  async #current(plugin: z.infer<typeof execSchema>): Promise<Credential> {
    const known = await this.#credential;
    const end = Date.parse(known?.expirationTimestamp ?? '');
    if (known && !(end - expirySkew < Date.now())) return known;
    if (this.#failure !== undefined && elapsed() - this.#failure.at < failureHolds) throw this.#failure.error;
    const running = this.#run(plugin);
    this.#credential = running;
    running.then(
      () => {
        this.#failure = undefined;
      },
      (error: unknown) => {
        this.#failure = { error, at: elapsed() };
        if (this.#credential === running) this.#credential = undefined;
      },
    );
    return await running;
  }

  async #run(plugin: z.infer<typeof execSchema>): Promise<Credential> {
    const failed = (why: string, cause?: unknown) =>
      new Problem(
        {
          code: 'credentials-refused',
          what: `The credential plugin "${plugin.command}" of the kubeconfig gave no credentials.`,
          why,
          remedy:
            plugin.installHint || 'Run "kubectl get pods" in a terminal, sign in if it asks, and start once more.',
        },
        { cause },
      );
    if (plugin.interactiveMode === 'Always')
      throw failed('It wants to ask questions in a terminal (interactiveMode Always).');
    const child = spawn(plugin.command, plugin.args, {
      env: {
        ...process.env,
        ...Object.fromEntries(plugin.env.map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: JSON.stringify(this.#execInfo(plugin)),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const [output, complaints] = [collect(child.stdout), collect(child.stderr)];
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(failed(error.message, error))).once('close', resolve);
    });
    if (code !== 0) throw failed((await complaints).trim().slice(-1000) || `It ended with exit code ${code}.`);
    let credential: Credential;
    try {
      credential = credentialSchema.parse(JSON.parse(await output)).status;
    } catch {
      // The output is not quoted: it may hold a token.
      throw failed('Its output is no ExecCredential object.');
    }
    for (const secret of [credential.token, credential.clientKeyData]) if (secret) this.#log.redactor.add(secret);
    return credential;
  }

  #execInfo(plugin: z.infer<typeof execSchema>): unknown {
    const cluster = this.#cluster;
    const info = {
      server: cluster.server,
      'tls-server-name': cluster.tlsServerName,
      'insecure-skip-tls-verify': cluster.skipTLSVerify || undefined,
      'certificate-authority-data': cluster.caData,
      'proxy-url': cluster.proxyUrl,
    };
    return {
      apiVersion: plugin.apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster: info } : {}) },
    };
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk;
  return text;
}
