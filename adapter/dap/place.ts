/** Where programs are started, if their network is not simply this computer's. Plain data, for child sessions get it too. */
import { z } from 'zod';

export const placeSchema = z.object({
  /** The words before a command that make it run there. */
  prefix: z.array(z.string()),
  /** The Unix socket through which its TCP ports are reached (network/namespace/dial-inside.ts). */
  dialSocket: z.string(),
});
export type Place = z.infer<typeof placeSchema>;

/** The command line that starts a command there; without a place, the command itself. */
export function argvAt(place: Place | undefined, argv: readonly string[]): readonly string[] {
  return place === undefined || argv.length === 0 ? argv : [...place.prefix, ...argv];
}
