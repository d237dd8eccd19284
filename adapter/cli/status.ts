import { userInfo } from 'node:os';
import { Command } from 'commander';
import { processTable } from '../network/ports/own-process-table.ts';
import { describeOwner, findPortOwner } from '../network/ports/ports.ts';
import { Problem } from '../problem.ts';
import { type KnownSession, knownSessions } from '../session/client/known-sessions.ts';
import type { Status } from '../session/protocol.ts';
import { describeCallers } from './callers-view.ts';
import type { ClusterFlags } from './cluster-status.ts';
import { describeNetwork, type Layout, type NetworkView } from './status-view.ts';
import { wrap } from './text-layout.ts';

interface StatusFlags extends ClusterFlags {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly cluster?: boolean;
}

/** `status`: every session of this computer, alive or interrupted; with --cluster every one in a namespace. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show the sessions of this computer and what they hold; with --cluster those of everybody')
    .option('--json', 'as JSON')
    .option('--all', 'every name, however many there are')
    .option('--cluster', 'every session in a namespace of the cluster: by whom, since when, alive or not')
    .option('-n, --namespace <namespace>', 'namespace for --cluster (default: that of the context)')
    .option('--context <context>', 'context of the kubeconfig for --cluster (default: the current one)')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .action(async ({ json = false, all = false, cluster = false, ...place }: StatusFlags) => {
      const width = process.stdout.columns || Number.POSITIVE_INFINITY;
      const print = (text: string) => void process.stdout.write(text);
      if (cluster) {
        const { describeClusterStatus, readClusterStatus } = await import('./cluster-status.ts');
        const status = await readClusterStatus(place, new AbortController().signal);
        print(json ? `${JSON.stringify(status, undefined, 2)}\n` : describeClusterStatus(status, width));
        return;
      }
      if (Object.keys(place).length > 0) throw forClusterOnly();
      const sessions = await shownSessions();
      print(json ? `${JSON.stringify(sessions, undefined, 2)}\n` : describe(sessions, { width, all }));
    });
}

function forClusterOnly(): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: '--namespace, --context and --kubeconfig are for "status --cluster".',
    why: 'Without it the sessions of this computer are shown, wherever they are.',
    remedy: 'Add --cluster, or leave them out.',
  });
}

/** Tools that list processes can hang where name services do. */
const toolMilliseconds = 10_000;

/** A session of this computer, as `--json` shows it. */
interface ShownSession {
  readonly key: string;
  readonly target: string;
  readonly place: string;
  readonly status: Status | undefined;
  /** Without a status: why it has none. */
  readonly left?: KnownSession['left'];
  /** Why nothing is known of it, or why the last undo failed. */
  readonly problem?: string;
  /** What it holds on this computer. */
  readonly network?: NetworkView;
}

async function shownSessions(): Promise<readonly ShownSession[]> {
  return Promise.all(
    (await knownSessions()).map(async ({ key, acts, status, left, unreadable, failed }): Promise<ShownSession> => {
      const act = acts.find((candidate) => candidate.act === 'session');
      const problem = unreadable?.message ?? failed?.message;
      return {
        key,
        target: act?.target ?? '',
        place: act ? `${act.namespace} of ${act.context}` : '',
        status,
        ...(left !== undefined && { left }),
        ...(problem !== undefined && { problem }),
        ...(status?.connection && { network: await networkView(status.connection) }),
      };
    }),
  );
}

async function networkView(connection: NonNullable<Status['connection']>): Promise<NetworkView> {
  const { network, services, leftOut, ports, helper, hostsFile } = connection;
  return {
    mode: network.mode,
    reason: network.reason,
    names: [
      ...services.map((service) => ({ ...service, state: 'open' as const })),
      ...leftOut.map(({ names, why }) => ({
        names,
        address: '',
        ports: [],
        leadsTo: '',
        state: 'left out' as const,
        problem: why,
      })),
    ],
    ports: await Promise.all(
      ports.map(async (port) => {
        const owner = await findPortOwner(port.localPort, '127.0.0.1');
        return { ...port, ...(owner && { listening: describeOwner(owner) }) };
      }),
    ),
    ...(helper && { privileged: { pid: helper.pid, user: await userOfHelper(helper.pid) } }),
    ...(hostsFile !== undefined && { hostsFile }),
    ...(network.place && { prefix: network.place.prefix }),
  };
}

/** Where the hosts file is the user's own, as in tests, it needs no privileges. */
async function userOfHelper(pid: number): Promise<string> {
  const facts = await processTable().facts(pid, AbortSignal.timeout(toolMilliseconds));
  return facts?.own ? userInfo().username : 'root';
}

function describeOutage({ since, why }: { readonly since: string; readonly why: string }): string {
  return `not reached since ${new Date(since).toLocaleTimeString('en-GB')}, trying again: ${why}`;
}

function describe(sessions: readonly ShownSession[], layout: Layout): string {
  if (sessions.length === 0) return 'No session.\n';
  const inner = { ...layout, width: layout.width - 2 };
  return sessions
    .flatMap((session) => {
      const { key, status, network } = session;
      const line = (text: string) => wrap(text, layout.width, '  ');
      if (!status) return line(describeLeft(session));
      const { connection } = status;
      const details = [
        ...status.kept.map(describeKept),
        ...(connection ? [`workload ${connection.workload}, container ${connection.container}`] : []),
        ...(connection?.guestOf === undefined ? [] : [`shares the session of ${connection.guestOf}, gets no requests`]),
        ...(connection?.guests ?? []).map((guest) => `shared by ${guest}`),
        ...(connection?.ifVanished === undefined ? [] : [connection.ifVanished]),
        ...(connection?.pods ?? []).map(
          (pod) =>
            `pod ${pod.name}: ${pod.streams} streams${pod.roundTripTime === undefined ? '' : `, round trip ${pod.roundTripTime.toFixed(1)} ms`}${pod.answering === false ? ', silent now' : ''}`,
        ),
        ...(connection?.outage === undefined ? [] : [describeOutage(connection.outage)]),
        `key ${key}`,
        ...(status.problem === undefined ? [] : [status.problem]),
      ].flatMap((text) => wrap(text, inner.width, '  '));
      const held = `daemon ${status.pid}, clients ${status.clients.join(', ') || 'none'}`;
      return [
        ...line(`${name(session)}: ${status.state} since ${status.started}, ${held}`),
        ...[
          ...details,
          ...(connection?.callers === undefined ? [] : describeCallers(connection.callers, inner.width)),
          ...(network ? describeNetwork(network, inner) : []),
        ].map((text) => `  ${text}`),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function name({ key, target, place }: ShownSession): string {
  return target === '' ? `session ${key}` : `${target} in ${place}`;
}

/** A session whose daemon says nothing. */
function describeLeft(session: ShownSession): string {
  const { key, left, problem } = session;
  const restore = `run "kubernetes-local restore --session ${key}"`;
  switch (left) {
    case 'silent':
      return `${name(session)}: alive, but its daemon does not answer; it may be stopped, busy, or of another version.`;
    case 'being-undone':
      return `${name(session)}: interrupted, and being undone.`;
    case 'interrupted':
    case undefined:
      return `${name(session)}: interrupted; ${restore}.${problem === undefined ? '' : ` The last try: ${problem}`}`;
  }
}

function describeKept(kept: Status['kept'][number]): string {
  switch (kept.for) {
    case 'restart':
      return 'kept for a restart';
    case 'program':
      return `kept for ${describePrograms(kept.pids)}`;
    case 'hold':
      return `held until ${kept.until}, or "kubernetes-local disconnect"`;
  }
}

function describePrograms(pids: readonly number[]): string {
  return `${pids.length > 1 ? 'programs' : 'program'} ${pids.join(', ')}`;
}
