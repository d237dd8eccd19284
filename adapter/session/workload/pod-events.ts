/** What happens to the agent's pods during a session: each thing that the user should know is told once. */
import { isAgentPod } from '../../cluster/agent-pods.ts';
import { podFailure } from '../../cluster/failures.ts';
import type { Pod } from '../../cluster/objects.ts';
import { Patience } from '../../cluster/patience.ts';
import { disruptionOf, isReady } from '../../cluster/pod-state.ts';
import type { ReplacementRecord } from '../../cluster/record.ts';
import type { Notice } from '../protocol.ts';

export class PodEvents {
  readonly #record: ReplacementRecord;
  readonly #notice: (notice: Notice) => void;
  readonly #told = new Set<string>();
  #patience: Patience;
  #inTrouble = false;

  constructor(record: ReplacementRecord, notice: (notice: Notice) => void, patience = new Patience()) {
    this.#record = record;
    this.#notice = notice;
    this.#patience = patience;
  }

  /** Looks at all pods of the workload. To be repeated without a change too: some troubles count only when they last. */
  look(pods: readonly Pod[]): void {
    const agents = pods.filter((pod) => isAgentPod(this.#record, pod));
    for (const pod of agents) {
      const { uid, name } = pod.metadata;
      const disruption = disruptionOf(pod);
      if (disruption !== '') {
        this.#tell(
          `${uid} ends`,
          `Pod ${name} is being ended by the cluster (${disruption}). Connections through it end; another one takes its place.`,
        );
        continue;
      }
      const failure = podFailure(pod, this.#record.container);
      if (failure && this.#patience.isOver(failure.key, failure.patience)) {
        this.#inTrouble = true;
        this.#tell(failure.key, `The agent does not run in all pods. ${failure.why}`);
      }
    }
    this.#lookForRecovery(agents);
  }

  #lookForRecovery(agents: readonly Pod[]): void {
    const staying = agents.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (!this.#inTrouble || staying.length === 0 || !staying.every(isReady)) return;
    this.#inTrouble = false;
    const count = staying.length === 1 ? 'the one pod' : `all ${staying.length} pods`;
    this.#notice({ level: 'info', text: `The agent runs in ${count} again.` });
  }

  #tell(key: string, text: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#notice({ level: 'warning', text });
  }
}
