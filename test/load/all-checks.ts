/** Every check of the load, in the order in which they run. */
import type { Check } from './checks.ts';
import { protocolChecks } from './protocols.ts';
import { trafficChecks } from './traffic.ts';

export const allChecks: readonly Check[] = [...trafficChecks, ...protocolChecks];
