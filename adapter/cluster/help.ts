/** What a colleague finds on a replaced workload, in plain words. */
import type { ReplacementRecord } from './record.ts';

/** Who replaced it, since when, and how anybody undoes it. */
export function helpText(record: ReplacementRecord): string {
  const { container, holder = 'Somebody', plannedAt, workload } = record;
  const since = `${plannedAt.slice(0, 10)} ${plannedAt.slice(11, 16)} UTC`;
  return (
    `${holder} debugs container ${container} with kubernetes-local since ${since}; the agent stands in for it. ` +
    'It is undone when they stop. If their computer is gone, anybody with rights on this workload undoes it with: ' +
    `kubernetes-local restore --namespace ${workload.namespace}`
  );
}
