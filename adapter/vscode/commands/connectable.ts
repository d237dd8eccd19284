/** The configurations of launch.json that name a target of ours. */
import { z } from 'zod';

const writtenSchema = z.looseObject({ type: z.string(), name: z.string(), target: z.string() });

export interface ConnectableConfiguration {
  readonly name: string;
  readonly target: string;
  /** As it stands there. */
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What can be read of them, in their order; whatever else stands there is left out. */
export function connectableConfigurations(written: unknown, debugType: string): readonly ConnectableConfiguration[] {
  if (!Array.isArray(written)) return [];
  return written.flatMap((each: unknown) => {
    const configuration = writtenSchema.safeParse(each).data;
    if (configuration === undefined) return [];
    const { name, target, type } = configuration;
    return type === debugType || type.startsWith(`${debugType}/`) ? [{ name, target, configuration }] : [];
  });
}
