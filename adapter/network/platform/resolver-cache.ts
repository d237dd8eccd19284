/** Makes the programs of this computer that remember names forget them. */
import { platformCommands } from './platform-commands.ts';
import { type RunCommand, runCommand } from './run-command.ts';

/** Flushes what caches names here. Which of these programs exist differs from computer to computer, so none has to work. */
export async function flushResolverCaches(
  signal: AbortSignal,
  run: RunCommand = runCommand,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  await Promise.all(platformCommands(platform).flushNames.map((command) => run(command, signal)));
}
