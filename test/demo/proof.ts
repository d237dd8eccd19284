/** The proof that cluster and computer are as before: compared object by object and byte by byte. */
import { setTimeout as delay } from 'node:timers/promises';
import { differences, hashes, type Snapshot, takeSnapshot } from '../stage/snapshot.ts';
import type { Narrator } from './narrator.ts';
import type { Place } from './place.ts';

/** VS Code gives an adapter two seconds to end, a rollout takes longer: the daemon finishes it meanwhile. */
const deadlineMilliseconds = 60_000;

/** Waits for the undo to be complete and prints the compared hashes; an Error lists what differs. */
export async function prove(before: Snapshot, place: Place, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const { kubectl, namespace } = place.shop;
  const end = Date.now() + deadlineMilliseconds;
  narrator.detail('The session daemon finishes the undo');
  for (;;) {
    signal.throwIfAborted();
    const after = await takeSnapshot(kubectl, namespace);
    const left = differences(before, after);
    if (left.length === 0) {
      const [then, now] = [hashes(before), hashes(after)];
      narrator.say(`hosts file   before ${then.hosts}\n             after  ${now.hosts}`);
      narrator.say(`cluster      before ${then.cluster}\n             after  ${now.cluster}`);
      narrator.good('Cluster and hosts file are as they were before.');
      return;
    }
    if (Date.now() > end) throw new Error(`Not everything is as before:\n${left.join('\n')}`);
    await delay(200, undefined, { signal });
  }
}
