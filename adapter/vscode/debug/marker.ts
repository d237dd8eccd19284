/** What stands under our key in the configuration of a debug session that is not of our type. */
import { z } from 'zod';
import { markerKey } from '../identifiers.ts';

const variables = z.record(z.string(), z.unknown()).optional();

/** What the user wrote, for afterwards other debuggers' extensions add to `env` all that this computer has. */
const wrote = { env: variables, envFile: z.unknown().optional() };

const markerSchema = z.discriminatedUnion('step', [
  /** A configuration of our type whose debugger is VS Code's own: it connects when all variables are filled in. */
  z.object({
    step: z.literal('connect'),
    id: z.string(),
    written: z.string(),
    configuration: z.record(z.string(), z.unknown()),
    ...wrote,
  }),
  /** A configuration with tasks of ours before it, which have connected by then. */
  z.object({ step: z.literal('tasks'), id: z.string(), tasks: z.array(z.string()), ...wrote }),
  /** It has its environment. `note` is for the debug console. */
  z.object({ step: z.literal('ready'), id: z.string(), keys: z.array(z.string()), note: z.string() }),
]);

export type Marker = z.infer<typeof markerSchema>;
export type MarkerOf<Step extends Marker['step']> = Extract<Marker, { step: Step }>;

/** The marker of a configuration; undefined if it has none. */
export function markerOf(configuration: Readonly<Record<string, unknown>>): Marker | undefined {
  const parsed = markerSchema.safeParse(configuration[markerKey]);
  return parsed.success ? parsed.data : undefined;
}

/** Whether another debugger made it for a further process of the program, which has its environment already. */
export function isOfChild(configuration: Readonly<Record<string, unknown>>): boolean {
  return '__parentId' in configuration || '__pendingTargetId' in configuration;
}
