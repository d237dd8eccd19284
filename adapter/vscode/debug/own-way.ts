/** What a configuration of our type says to VS Code itself, and what we say to ourselves in it. */
import { createHash } from 'node:crypto';

/** Says that our own debug adapter is to be used, whatever the setting: VS Code's own cannot do it. */
export const ownWayKey = '__kubernetesLocalOwn';

/** Keys that VS Code reads in any configuration; they hold for the real debugger's, too. */
const editorKeys = [
  'noDebug',
  'preLaunchTask',
  'postDebugTask',
  'internalConsoleOptions',
  'presentation',
  'serverReadyAction',
  'suppressMultipleSessionWarning',
  'debugServer',
  '__restart',
] as const;

/** Those of the keys that the configuration has. */
export function ofTheEditor(configuration: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(editorKeys.filter((key) => key in configuration).map((key) => [key, configuration[key]]));
}

/**
 * A name for a configuration as it is written. No text of it may be in it: VS Code would fill in variables, and when it
 * restarts a session it takes the configuration from launch.json again.
 */
export function nameOfWritten(folder: string, configuration: Readonly<Record<string, unknown>>): string {
  // VS Code's own additions differ from start to start.
  const written = Object.entries(configuration).filter(([key]) => !key.startsWith('__') && key !== 'noDebug');
  return createHash('sha256')
    .update(JSON.stringify([folder, written]))
    .digest('hex')
    .slice(0, 16);
}
