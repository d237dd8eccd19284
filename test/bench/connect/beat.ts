/**
 * The kubelet looks once a second at what its containers do (genericRelistPeriod, pkg/kubelet/kubelet.go), and whatever
 * waits for a pod ends at such a look. What begins when another has ended would always begin at the same moment between two looks,
 * and the luck of that moment would be measured with it.
 */
import { setTimeout as delay } from 'node:timers/promises';

const beat = 1_000;

/** Puts off what comes next, so that `runs` runs, counted from 0, begin at as many moments between two looks, evenly spread. */
export async function atItsMoment(run: number, runs: number): Promise<void> {
  await delay(((run % runs) / runs) * beat);
}
