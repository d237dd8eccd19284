import { Command, Option } from 'commander';
import { z } from 'zod';
import { openCluster } from '../cluster/cluster.ts';
import { listSchema, serviceSchema } from '../cluster/objects.ts';
import { kubernetesService, servicesPath, visibleServices } from '../cluster/services.ts';
import { environmentReader } from '../cluster/sources.ts';
import { resolveTarget } from '../cluster/target.ts';
import { silentLog } from '../diagnostics/log.ts';
import { resolveEnvironment } from '../environment/environment.ts';
import { type EnvironmentFormat, environmentFormats, formatEnvironment } from '../environment/formats.ts';
import { managedIdentityEndpoint, managedIdentityHost } from '../environment/process-config/demands.ts';
import { standingConnection } from '../session/client/client.ts';
import { type EnvironmentSource, programVariables } from '../session/client/program-environment.ts';
import { type SessionRequest, sessionRequest } from '../session/client/session-request.ts';
import type { Connection } from '../session/protocol.ts';
import { deliver } from './private-output.ts';
import { addTargetOptions, targetConfiguration } from './target-options.ts';
import { showLine, showNotice } from './terminal.ts';

interface EnvFlags {
  readonly format: EnvironmentFormat;
  readonly output?: string;
  readonly mounts?: boolean;
  readonly showSecrets?: boolean;
}

/** What stands instead of a secret value on a terminal. */
const mask = '********';

/** `env`: the environment or the mounts that a program of the target has, for tools that no debugger starts. Changes nothing. */
export function envCommand(): Command {
  return addTargetOptions(
    new Command('env').description('print the environment that a program has in place of a workload; changes nothing'),
  )
    .addOption(new Option('--format <format>', 'how it is written').choices(environmentFormats).default('dotenv'))
    .option('-o, --output <file>', 'write it to this file, which only you can read')
    .option('--mounts', 'print where the files of the volumes are instead; as lines, or with --format json')
    .option('--show-secrets', 'show the values of Secrets and of files of variables on a terminal too')
    .action(async (flags: EnvFlags) => {
      const { format, output, mounts = false, showSecrets = false, ...ofTheTarget } = flags;
      const request = sessionRequest(targetConfiguration(ofTheTarget), false);
      const { signal } = new AbortController();
      const source = await environmentSource(request, showLine, signal);
      if (mounts) {
        deliver(describeMounts(source, format), output);
        return;
      }
      const { variables, notes } = programVariables(source, request.choice);
      for (const text of notes) showNotice({ level: 'warning', text });
      const isMasked = output === undefined && process.stdout.isTTY && !showSecrets;
      const shown = isMasked ? masked(variables) : variables;
      deliver(formatEnvironment(shown, format), output);
      const hidden = isMasked ? variables.filter(({ secret }) => secret).length : 0;
      if (hidden > 0) {
        const what = hidden === 1 ? '1 secret value is' : `${hidden} secret values are`;
        showLine(`${what} not shown on a terminal; add --show-secrets, or --output FILE.`);
      }
    });
}

/** The variables with the values of secrets masked. */
export function masked<T extends { readonly value: string; readonly secret: boolean }>(
  variables: readonly T[],
): readonly T[] {
  return variables.map((variable) => (variable.secret ? { ...variable, value: mask } : variable));
}

/** Where each mount is on this computer, as lines or JSON. */
export function describeMounts({ mounts }: Pick<EnvironmentSource, 'mounts'>, format: EnvironmentFormat): string {
  if (format === 'json') return `${JSON.stringify(mounts, undefined, 2)}\n`;
  return mounts
    .map(({ mountPath, localPath, note }) => {
      const place = localPath ?? 'left out';
      return `${mountPath}\t${note === undefined ? place : `${place}\t${note}`}\n`;
    })
    .join('');
}

/**
 * What the program's environment is made from: the session for this target if one stands, otherwise the cluster, with the
 * cluster's own addresses and paths, which is told. Problems as the session or the cluster throws them.
 */
export async function environmentSource(
  asked: SessionRequest,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<EnvironmentSource> {
  const connection = await standingConnection(asked.key);
  if (connection !== undefined) return connection;
  tell('No session stands for this target: addresses and paths are those of the cluster itself.');
  const { source, notes } = await sourceFromCluster(asked, signal);
  for (const note of notes) tell(note);
  return source;
}

const mountsSchema = z.object({
  spec: z.object({
    containers: z.array(
      z.object({
        name: z.string(),
        volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).nullish(),
      }),
    ),
  }),
});

/** Reads only. What the pod itself sees; the session's own variables are not among it. */
async function sourceFromCluster({ request }: SessionRequest, signal: AbortSignal) {
  const { context, namespace, kubeconfig, target: name, container, otherNamespaces, onUnresolved } = request;
  const cluster = await openCluster({ context, namespace, log: silentLog, ...(kubeconfig && { kubeconfig }) }, signal);
  const servicesOf = async (place: string) => {
    const path = servicesPath(place);
    return visibleServices(
      (await cluster.api.request({ method: 'GET', path, signal }, listSchema(serviceSchema))).items,
    );
  };
  const [target, own, api, others] = await Promise.all([
    resolveTarget(cluster, name, container, signal),
    servicesOf(namespace),
    kubernetesService(cluster, signal),
    Promise.all(otherNamespaces.map(servicesOf)),
  ]);
  const { variables, notes } = await resolveEnvironment(
    {
      pod: target.pod,
      container: target.container,
      namespace: target.workload.namespace,
      services: [...own, ...(api ? [api] : [])],
      reader: environmentReader(cluster),
      onUnresolved,
    },
    signal,
  );
  const { containers } = mountsSchema.parse(target.pod).spec;
  const mounts = containers.find((each) => each.name === target.container)?.volumeMounts ?? [];
  const source: EnvironmentSource = {
    session: undefined,
    environment: [...variables],
    network: { mode: 'namespace', reason: '' },
    services: [
      ...[...own, ...others.flat()].map((service) => asReachable(service, namespace)),
      ...(request.managedIdentity ? [managedIdentity] : []),
    ],
    mounts: mounts.map(({ name: volume, mountPath }) => ({
      mountPath,
      volume,
      kind: 'other',
      localPath: mountPath,
      readOnly: false,
    })),
    externalEndpoints: request.externalEndpoints,
    ports: [],
  };
  return { source, notes };
}

const managedIdentity = {
  name: managedIdentityHost,
  names: [managedIdentityHost],
  address: managedIdentityEndpoint.host,
  ports: [{ port: managedIdentityEndpoint.port, localPort: managedIdentityEndpoint.port }],
  leadsTo: managedIdentityEndpoint.host,
};

/** A Service as the pod reaches it. One without an address of its own is called by its name. */
function asReachable(
  { name, namespace, clusterIP, ports }: ReturnType<typeof visibleServices>[number],
  home: string,
): Connection['services'][number] {
  const full = `${name}.${namespace}`;
  const address = clusterIP ?? `${full}.svc`;
  return {
    name: namespace === home ? name : full,
    names: [...(namespace === home ? [name] : []), full, `${full}.svc`],
    address,
    ports: ports.map(({ port }) => ({ port, localPort: port })),
    leadsTo: address,
  };
}
