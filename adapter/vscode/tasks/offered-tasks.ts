/** Tasks for the targets that launch.json and tasks.json name. */
import { z } from 'zod';

/** What makes a session the one it is. */
const placeSchema = z.object({
  type: z.string(),
  target: z.string(),
  namespace: z.string().optional(),
  context: z.string().optional(),
  kubeconfig: z.string().optional(),
});
const shared = [
  'container',
  'ports',
  'network',
  'otherNamespaces',
  'agentImage',
  'externalEndpoints',
  'onUnresolved',
  'environment',
  'volumes',
  'processConfig',
  'onPortConflict',
  'onHeld',
  'elevate',
  'reaper',
  'reaperDelay',
] as const;

export interface OfferedTask {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

/** One to connect and one to disconnect for each target in its place; the first that names it says with which options. */
export function offeredTasks(
  written: readonly unknown[],
  { debugType, taskType }: { readonly debugType: string; readonly taskType: string },
): readonly OfferedTask[] {
  const found = new Map<string, OfferedTask[]>();
  for (const each of written) {
    const place = placeSchema.safeParse(each).data;
    if (place === undefined || (place.type !== debugType && place.type !== taskType)) continue;
    const { type: _type, ...rest } = place;
    const key = JSON.stringify(rest);
    if (found.has(key)) continue;
    const all = z.looseObject({}).parse(each);
    const options = Object.fromEntries(shared.filter((name) => name in all).map((name) => [name, all[name]]));
    const inPlace = place.namespace === undefined ? place.target : `${place.target} in ${place.namespace}`;
    found.set(key, [
      { name: `connect ${inPlace}`, definition: { action: 'connect', ...rest, ...options } },
      { name: `disconnect ${inPlace}`, definition: { action: 'disconnect', ...rest } },
    ]);
  }
  return [...found.values()].flat();
}
