/** The side of a guest: what of another's session it works with, how it enters, and when that session is over. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AgentConfiguration,
  agentConfigurationVariable,
  guestLimit,
  parseAgentConfiguration,
} from '../../../agent/protocol.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { display } from '../../cluster/kinds.ts';
import { type Holder, holderName, type Leased, type LeaseState, leaseName, readLease } from '../../cluster/lease.ts';
import { followLease } from '../../cluster/lease-watch.ts';
import { enterGuest } from '../../cluster/lease-wishes.ts';
import { readRecord, withoutReplacement } from '../../cluster/leftover.ts';
import type { ReplacementRecord } from '../../cluster/replacement.ts';
import { type ResolvedTarget, resolveTarget } from '../../cluster/target.ts';
import { Problem } from '../../problem.ts';
import type { Act } from '../journal/journal.ts';
import type { ConnectRequest } from '../protocol.ts';

/** A session that has the Lease puts its agent in place within seconds. */
const recordMilliseconds = 30_000;
const lookMilliseconds = 500;

/** What a guest works with: the workload as it is without the agent, and the agents of the holder. */
export interface Shared {
  readonly target: ResolvedTarget;
  readonly record: ReplacementRecord;
  readonly agent: AgentConfiguration;
  /** `anna on laptop` */
  readonly holder: string;
}

/** Problems of resolveTarget; session-taken if the session is over, target-held if it cannot be shared. */
export async function findShared(
  cluster: Cluster,
  request: Pick<ConnectRequest, 'target' | 'container'>,
  of: LeaseState,
  held: Leased,
  signal: AbortSignal,
): Promise<Shared> {
  const record = await recordOfSession(cluster, held, of, signal);
  const { container = record.container } = request;
  if (container !== record.container) {
    throw notShared(held, of, `It has container ${record.container}; you asked for container ${container}.`);
  }
  const found = await resolveTarget(cluster, request.target, container, signal, { evenIfHeld: true });
  const target = { ...found, pod: withoutReplacement(found.pod, record) };
  return { target, record, agent: agentOf(held, of, record), holder: of.holder };
}

/** Enters the guest, whose key the holder then names to its agents. The journal first. */
export async function enter(
  { cluster, journal }: { readonly cluster: Cluster; readonly journal: { append(act: Act): void } },
  { target, record }: Shared,
  who: Holder,
  publicKey: string,
  signal: AbortSignal,
): Promise<void> {
  journal.append({ act: 'guest', lease: leaseName(target) });
  const since = cluster.api.now().toISOString();
  const guest = { session: who.session, holder: holderName(who), publicKey, since };
  await enterGuest(cluster, target, record.session, guest, { most: guestLimit }, signal);
}

/** Resolves with the Problem session-taken when the shared session is over; Problems of the cluster. */
export async function whenSharedEnds(cluster: Cluster, shared: Shared, signal: AbortSignal): Promise<Problem> {
  for await (const state of followLease(cluster, shared.target, signal)) {
    if (state?.session === shared.record.session && state.alive && state.takeover?.answered === undefined) continue;
    return sharedEnded(shared.target, shared.holder, state);
  }
  throw new Error('the Lease is no longer followed');
}

/** The session that holds the Lease may be only just beginning. */
async function recordOfSession(
  cluster: Cluster,
  held: Leased,
  of: LeaseState,
  signal: AbortSignal,
): Promise<ReplacementRecord> {
  const end = performance.now() + recordMilliseconds;
  for (;;) {
    const record = await readRecord(cluster, held, signal);
    if (record?.session === of.session) return record;
    const now = await readLease(cluster, held, signal);
    if (now?.session !== of.session || !now.alive) throw sharedEnded(held, of.holder, now);
    if (performance.now() > end) throw notShared(held, of, 'It has not put its agent in place.');
    await delay(lookMilliseconds, undefined, { signal });
  }
}

function agentOf(held: Leased, of: LeaseState, { changes }: ReplacementRecord): AgentConfiguration {
  const variable = changes.find((change) => change.at === 'variable' && change.name === agentConfigurationVariable);
  const after = variable?.after;
  const value = typeof after === 'object' && after !== null && 'value' in after ? after.value : undefined;
  try {
    return parseAgentConfiguration(String(value));
  } catch (error) {
    throw notShared(held, of, error instanceof Error ? error.message : String(error));
  }
}

function notShared(held: Leased, { holder }: LeaseState, why: string): Problem {
  return new Problem({
    code: 'target-held',
    what: `The session of ${holder} on ${display(held.workload)} cannot be shared.`,
    why,
    remedy:
      'Both need the same version of kubernetes-local and the same container. Or wait (--wait), or take over (--force).',
  });
}

function sharedEnded(held: Leased, holder: string, now: LeaseState | undefined): Problem {
  const isTheirs = now?.holder === holder;
  const silent = now !== undefined && !now.alive;
  return new Problem({
    code: 'session-taken',
    what: `The session of ${holder} on ${display(held.workload)}, which you shared, is over.`,
    why: silent
      ? 'Nothing was heard of it for 20 s.'
      : now === undefined || isTheirs
        ? 'They ended it, or somebody restored the workload.'
        : `${now.holder} has the workload now.`,
    remedy: 'Your side is undone. Start again, to have the workload yourself.',
  });
}
