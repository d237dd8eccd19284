import { readdirSync } from 'node:fs';
import { Command } from 'commander';
import { sessionStatus } from '../session/client.ts';
import { readJournal } from '../session/journal.ts';
import type { Status } from '../session/protocol.ts';
import { sessionFiles, sessionsFolder } from '../session/state-folder.ts';

/** `status`: every session of this computer, alive or interrupted. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show the sessions of this computer and what they hold')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const sessions = await knownSessions();
      process.stdout.write(json ? `${JSON.stringify(sessions, undefined, 2)}\n` : describe(sessions));
    });
}

interface KnownSession {
  readonly key: string;
  readonly target: string;
  readonly place: string;
  readonly status: Status | undefined;
}

async function knownSessions(): Promise<readonly KnownSession[]> {
  const known: KnownSession[] = [];
  for (const key of readdirSync(sessionsFolder())) {
    const acts = readJournal(sessionFiles(key).journal);
    const act = acts.find((candidate) => candidate.act === 'session');
    const status = await sessionStatus(key);
    if (!act && !status) continue;
    known.push({ key, target: act?.target ?? '', place: act ? `${act.namespace} of ${act.context}` : '', status });
  }
  return known;
}

function describe(sessions: readonly KnownSession[]): string {
  if (sessions.length === 0) return 'No session.\n';
  return sessions
    .flatMap(({ target, place, status }) => {
      if (!status) return [`${target} in ${place}: interrupted; run "kubernetes-local restore".`];
      const connection = status.connection;
      return [
        `${target} in ${place}: ${status.state} since ${status.started}, daemon ${status.pid}, clients ${status.clients.join(', ') || 'none'}`,
        ...status.kept.map(
          (kept) => `  kept for ${kept.for === 'restart' ? 'a restart' : describePrograms(kept.pids)}`,
        ),
        ...(connection
          ? [
              `  workload ${connection.workload}, container ${connection.container}`,
              ...connection.pods.map(
                (pod) =>
                  `  pod ${pod.name}: ${pod.streams} streams${pod.roundTripTime === undefined ? '' : `, round trip ${pod.roundTripTime.toFixed(1)} ms`}`,
              ),
              ...connection.ports.map((port) => `  port ${port.containerPort} → 127.0.0.1:${port.localPort}`),
              ...connection.services.map(
                (service) => `  ${service.names[0] ?? service.name} ${service.address}:${service.ports.join(',')}`,
              ),
            ]
          : []),
        ...(status.problem === undefined ? [] : [`  ${status.problem}`]),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function describePrograms(pids: readonly number[]): string {
  return `${pids.length > 1 ? 'programs' : 'program'} ${pids.join(', ')}`;
}
