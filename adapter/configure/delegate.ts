/** Makes a configuration that the user has already the delegate of one of ours. */
import type { Program, Settings } from './draft.ts';

/** What the editor itself does with a configuration, whatever its type. Ours has to carry it. */
export const ofTheEditor = [
  'preLaunchTask',
  'postDebugTask',
  'presentation',
  'serverReadyAction',
  'internalConsoleOptions',
  'suppressMultipleSessionWarning',
];

/** Sections of VS Code that hold for one operating system; it looks for them only at the top. */
const systems: Readonly<Partial<Record<NodeJS.Platform, string>>> = { win32: 'windows', darwin: 'osx', linux: 'linux' };

/** Whether a value is a configuration that can start a program: it has a type, and is not ours. */
export function isProgram(value: unknown): value is Settings & { readonly type: string } {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return false;
  return value.type !== '' && !isOwnType(value.type);
}

/** Whether a `type` is ours: alone, or with the real debugger's behind it. */
export function isOwnType(type: unknown): boolean {
  return typeof type === 'string' && (type === 'kubernetes-local' || type.startsWith('kubernetes-local/'));
}

/** Splits a configuration into what the real debugger gets and what stays with the editor. */
export function asProgram(
  settings: Settings & { readonly type: string },
  platform: NodeJS.Platform = process.platform,
): Program {
  const { name: _, type, ...rest } = settings;
  const system = rest[systems[platform] ?? ''];
  const here: Settings = { ...rest, ...(typeof system === 'object' && system !== null ? system : {}) };
  const delegate: Record<string, unknown> = {};
  const beside: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(here)) {
    if (Object.values(systems).includes(key)) continue;
    // A debug adapter that runs already; at the top it would be taken for ours.
    if (key === 'debugServer') beside.debugAdapter = { port: value };
    else if (ofTheEditor.includes(key)) beside[key] = value;
    else delegate[key] = value;
  }
  return { delegate: { type, ...delegate }, beside };
}
