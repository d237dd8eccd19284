import { readdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command } from 'commander';
import { processTable } from '../network/ports/own-process-table.ts';
import { describeOwner, findPortOwner } from '../network/ports/ports.ts';
import { sessionStatus } from '../session/client.ts';
import { readJournal } from '../session/journal.ts';
import type { Status } from '../session/protocol.ts';
import { sessionFiles, sessionsFolder } from '../session/state-folder.ts';
import { describeNetwork, type Layout, type NetworkView } from './status-view.ts';
import { wrap } from './text-layout.ts';

/** `status`: every session of this computer, alive or interrupted. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show the sessions of this computer and what they hold')
    .option('--json', 'as JSON')
    .option('--all', 'every name, however many there are')
    .action(async ({ json = false, all = false }: { json?: boolean; all?: boolean }) => {
      const sessions = await knownSessions();
      const layout = { width: process.stdout.columns || Number.POSITIVE_INFINITY, all };
      process.stdout.write(json ? `${JSON.stringify(sessions, undefined, 2)}\n` : describe(sessions, layout));
    });
}

/** Tools that list processes can hang where name services do. */
const toolMilliseconds = 10_000;

interface KnownSession {
  readonly key: string;
  readonly target: string;
  readonly place: string;
  readonly status: Status | undefined;
  /** What it holds on this computer. */
  readonly network?: NetworkView;
}

async function knownSessions(): Promise<readonly KnownSession[]> {
  const known: KnownSession[] = [];
  for (const key of readdirSync(sessionsFolder())) {
    const acts = readJournal(sessionFiles(key).journal);
    const act = acts.find((candidate) => candidate.act === 'session');
    const status = await sessionStatus(key);
    if (!act && !status) continue;
    known.push({
      key,
      target: act?.target ?? '',
      place: act ? `${act.namespace} of ${act.context}` : '',
      status,
      ...(status?.connection && { network: await networkView(status.connection) }),
    });
  }
  return known;
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

function describe(sessions: readonly KnownSession[], layout: Layout): string {
  if (sessions.length === 0) return 'No session.\n';
  const inner = { ...layout, width: layout.width - 2 };
  return sessions
    .flatMap(({ target, place, status, network }) => {
      const line = (text: string) => wrap(text, layout.width, '  ');
      if (!status) return line(`${target} in ${place}: interrupted; run "kubernetes-local restore".`);
      const { connection } = status;
      const details = [
        ...status.kept.map(describeKept),
        ...(connection ? [`workload ${connection.workload}, container ${connection.container}`] : []),
        ...(connection?.pods ?? []).map(
          (pod) =>
            `pod ${pod.name}: ${pod.streams} streams${pod.roundTripTime === undefined ? '' : `, round trip ${pod.roundTripTime.toFixed(1)} ms`}`,
        ),
        ...(status.problem === undefined ? [] : [status.problem]),
      ].flatMap((text) => wrap(text, inner.width, '  '));
      const held = `daemon ${status.pid}, clients ${status.clients.join(', ') || 'none'}`;
      return [
        ...line(`${target} in ${place}: ${status.state} since ${status.started}, ${held}`),
        ...[...details, ...(network ? describeNetwork(network, inner) : [])].map((text) => `  ${text}`),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
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
