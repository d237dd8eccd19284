/**
 * Finds and merges kubeconfig files by kubectl's rules and chooses the context.
 * client-node reads each file; merging is done here, because it refuses duplicate names where kubectl takes the first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Cluster, User } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import type { Credentials } from './api.ts';
import { ExecCredentials, execProvider, execSchema } from './exec-credentials.ts';
import { suggest } from './nearest.ts';
import { proxyFromEnvironment } from './proxy.ts';
import { TokenFile, tokenFileProvider } from './token-file.ts';

export interface KubeconfigOptions {
  /** Path list; default KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** The chosen context and how to reach and convince its cluster. */
export interface ChosenContext {
  readonly context: string;
  readonly server: string;
  /** The context's namespace, else `default`. */
  readonly namespace: string;
  /** The name of the kubeconfig's user; the cluster may know the person by another one. */
  readonly user: string;
  readonly credentials: Credentials;
}

/** What client-node leaves out of a user entry. */
const userExtrasSchema = z.looseObject({
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z
          .looseObject({
            tokenFile: z.string().optional(),
            token: z.string().optional(),
            password: z.string().optional(),
            exec: z.unknown().optional(),
            'client-certificate': z.string().optional(),
            'client-certificate-data': z.string().optional(),
            'as-groups': z.array(z.string()).optional(),
            'as-uid': z.string().optional(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

type UserExtras = NonNullable<NonNullable<z.infer<typeof userExtrasSchema>['users']>[number]['user']>;

/** Problems kubeconfig-missing, kubeconfig-invalid, context-unknown. */
export function chooseContext(options: KubeconfigOptions): ChosenContext {
  const environment = options.environment ?? process.env;
  const { merged, extras, present } = readFiles(options);
  const current = merged.contexts.find(({ name }) => name === pickName(merged, options.context, present));
  if (!current) throw contextUnknown(options.context ?? merged.currentContext, merged, present);
  merged.currentContext = current.name;
  const cluster = merged.clusters.find(({ name }) => name === current.cluster);
  if (!cluster) {
    throw invalid(present, `Context "${current.name}" names the cluster "${current.cluster}", which is not there.`);
  }
  if (!URL.canParse(cluster.server)) throw invalid(present, `"${cluster.server}" is not the URL of an API server.`);
  const user = merged.users.find(({ name }) => name === current.user);
  if (!user && current.user) {
    throw invalid(present, `Context "${current.name}" names the user "${current.user}", which is not there.`);
  }
  return {
    context: current.name,
    server: cluster.server,
    namespace: current.namespace ?? 'default',
    user: current.user || 'anonymous',
    credentials: credentials(cluster, user ?? { name: '' }, extras.get(current.user) ?? {}, environment, options.log),
  };
}

/** The names of all contexts, and the current one if there is one. Problems kubeconfig-missing, kubeconfig-invalid. */
export function knownContexts(options: Pick<KubeconfigOptions, 'kubeconfig' | 'environment'>): {
  readonly current: string | undefined;
  readonly names: readonly string[];
} {
  const { merged } = readFiles(options);
  return { current: merged.currentContext || undefined, names: contextNames(merged) };
}

function readFiles({ kubeconfig, environment = process.env }: Pick<KubeconfigOptions, 'kubeconfig' | 'environment'>) {
  const list = kubeconfig || environment.KUBECONFIG;
  const paths = list ? list.split(delimiter).filter(Boolean) : [join(homedir(), '.kube', 'config')];
  const present = paths.filter((path) => existsSync(path));
  if (present.length === 0) {
    throw new Problem({
      code: 'kubeconfig-missing',
      what: 'There is no kubeconfig.',
      why: `Looked for ${paths.join(', ')}.`,
      remedy: 'Set KUBECONFIG, or get a kubeconfig from your cluster (kubectl must work first).',
    });
  }
  const merged = new KubeConfig();
  const extras = new Map<string, UserExtras>();
  for (const path of present) addFile(merged, extras, path);
  return { merged, extras, present };
}

function pickName(merged: KubeConfig, wanted: string | undefined, paths: readonly string[]): string {
  const name = wanted ?? merged.currentContext;
  if (name) return name;
  throw new Problem({
    code: 'context-unknown',
    what: 'No context is chosen.',
    why: `No current-context in ${paths.join(', ')}.`,
    remedy: `Name one with "context". ${suggest('', contextNames(merged), 'contexts')}`.trim(),
  });
}

function contextNames(merged: KubeConfig): string[] {
  return merged.contexts.map(({ name }) => name);
}

function contextUnknown(name: string, merged: KubeConfig, paths: readonly string[]): Problem {
  const names = contextNames(merged);
  return new Problem({
    code: 'context-unknown',
    what: `There is no context "${name}".`,
    why: `${paths.join(', ')} has ${names.length === 0 ? 'no contexts' : `these: ${names.join(', ')}`}.`,
    remedy: suggest(name, names, 'contexts') || 'Check "context".',
  });
}

function invalid(paths: readonly string[], why: string, cause?: unknown): Problem {
  return new Problem(
    {
      code: 'kubeconfig-invalid',
      what: `The kubeconfig ${paths.join(', ')} is not valid.`,
      why,
      remedy: 'Correct it; "kubectl config view" shows how kubectl reads it.',
    },
    { cause },
  );
}

/** Certificates in files are read for each connection, so that renewed ones are used. */
function unreadable(error: unknown): Problem {
  return new Problem(
    {
      code: 'credentials-refused',
      what: 'The credentials that the kubeconfig names cannot be read.',
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Correct the kubeconfig or sign in again.',
    },
    { cause: error },
  );
}

function addFile(merged: KubeConfig, extras: Map<string, UserExtras>, path: string): void {
  const folder = dirname(resolve(path));
  try {
    const text = readFileSync(path, 'utf8');
    const parsed: unknown = parse(text);
    if (parsed === null) return;
    const file = new KubeConfig();
    file.loadFromString(text);
    file.makePathsAbsolute(folder);
    const known = userExtrasSchema.parse(parsed).users ?? [];
    for (const { name, user } of known) {
      if (!user || extras.has(name)) continue;
      const tokenFile = user.tokenFile && !isAbsolute(user.tokenFile) ? join(folder, user.tokenFile) : user.tokenFile;
      extras.set(name, { ...user, tokenFile, exec: withCommandPath(user.exec, folder) });
    }
    merged.currentContext ||= file.currentContext;
    merged.clusters.push(...file.clusters.filter(({ name }) => !merged.clusters.some((other) => other.name === name)));
    merged.users.push(...file.users.filter(({ name }) => !merged.users.some((other) => other.name === name)));
    merged.contexts.push(...file.contexts.filter(({ name }) => !merged.contexts.some((other) => other.name === name)));
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    throw invalid([path], why, error);
  }
}

/** A plugin named by a relative path is relative to the kubeconfig; a bare name is looked up in PATH. */
function withCommandPath(exec: unknown, folder: string): unknown {
  const plugin = execSchema.safeParse(exec);
  if (!plugin.success) return exec;
  const { command } = plugin.data;
  return { ...plugin.data, command: /[\\/]/.test(command) && !isAbsolute(command) ? join(folder, command) : command };
}

function credentials(
  cluster: Cluster,
  user: User,
  extras: UserExtras,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): Credentials {
  const proxyUrl = cluster.proxyUrl ?? proxyFromEnvironment(cluster.server, environment);
  // client-node refuses http:// servers unless TLS checks are off; without TLS there is nothing to check.
  const skipTLSVerify = cluster.skipTLSVerify || cluster.server.startsWith('http:');
  const reached: Cluster = { ...cluster, skipTLSVerify, ...(proxyUrl ? { proxyUrl } : {}) };
  for (const secret of [extras.token, extras.password]) if (secret) log.redactor.add(secret);
  const plugin = new ExecCredentials(reached, log);
  const tokenFile = new TokenFile(log);
  const { exec: _, ...plain } = user;
  const known: User = extras.tokenFile
    ? { ...plain, authProvider: { name: tokenFileProvider, config: extras.tokenFile } }
    : extras.exec
      ? { ...plain, authProvider: { name: execProvider, config: extras.exec } }
      : user;
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [reached],
    users: [known],
    contexts: [{ name: 'chosen', cluster: reached.name, user: known.name }],
    currentContext: 'chosen',
  });
  config.addAuthenticator(plugin);
  config.addAuthenticator(tokenFile);
  const renewable = known !== user;
  let generation = 0;
  return {
    async apply(options) {
      const applied = generation;
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw error instanceof Problem ? error : unreadable(error);
      }
      // client-node's agent is needed only to get through a proxy; without it our own keeps connections alive.
      if (!proxyUrl) delete options.agent;
      if (extras['as-uid']) options.headers = { ...options.headers, 'Impersonate-Uid': extras['as-uid'] };
      if (extras['as-groups']) options.headers = { ...options.headers, 'Impersonate-Group': extras['as-groups'] };
      return applied;
    },
    refresh(refused) {
      // Several requests may be refused at once; the first of them renews for all.
      if (renewable && refused === generation) {
        generation++;
        plugin.forget();
        tokenFile.forget();
      }
      return renewable;
    },
  };
}
