/** What the user is told of the program's environment before anything is changed; the log never shows its secrets. */
import type { Log } from '../../diagnostics/log.ts';
import type { ResolvedEnvironment } from '../../environment/environment.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';
import type { Notice } from '../protocol.ts';
import { unusableNames } from './network-environment.ts';

/** `notes`: what else there is to say of the workload. */
export function tellEnvironment(
  { notice, log }: { notice(notice: Notice): void; readonly log: Log },
  notes: readonly string[],
  environment: ResolvedEnvironment,
  network: WorkstationNetwork,
): void {
  for (const text of unusableNames(environment.variables, network)) notice({ level: 'warning', text });
  for (const text of [...notes, ...environment.notes]) notice({ level: 'info', text });
  for (const { secret, value } of environment.variables) if (secret) log.redactor.add(value);
}
