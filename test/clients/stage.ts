/** One session of an emulated client, of which nothing must be left. */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, vi } from 'vitest';
import { familyOf, survivors } from '../debuggers/processes.ts';
import type { EmulatedClient, Scene } from './client.ts';
import { Dape } from './dape.ts';
import { Helix } from './helix.ts';
import { Kate } from './kate.ts';
import { Lsp4e, Lsp4ij } from './lsp4.ts';
import { NvimDap } from './nvim-dap.ts';
import { Sublime } from './sublime.ts';
import { VisualStudio } from './visual-studio.ts';
import { VsCode } from './vscode.ts';

export type Starter = (scene: Scene) => EmulatedClient | Promise<EmulatedClient>;

export const clients: readonly (readonly [name: string, start: Starter])[] = [
  ['VS Code', (scene) => new VsCode(scene)],
  ['Visual Studio', (scene) => new VisualStudio(scene)],
  ['nvim-dap', (scene) => new NvimDap(scene)],
  ['dape', (scene) => new Dape(scene)],
  ['Helix', (scene) => new Helix(scene)],
  ['older Helix', (scene) => new Helix(scene, { knowsTerminate: false })],
  ['Helix by TCP', Helix.overTcp],
  ['Kate', (scene) => new Kate(scene)],
  ['LSP4E', (scene) => new Lsp4e(scene)],
  ['LSP4IJ', Lsp4ij.start],
  ['Sublime Text', (scene) => new Sublime(scene)],
];

/** Starts a session, and ends by force what is left of it when the test has failed. */
export async function debugged(
  start: Starter,
  scene: Scene,
  act: (client: EmulatedClient) => Promise<void>,
): Promise<void> {
  const client = await start(scene);
  try {
    await client.begin();
    await act(client);
  } finally {
    for (const one of [client, ...client.children]) {
      one.process.stdin?.destroy();
      one.process.kill('SIGTERM');
    }
    for (const terminal of client.terminals) terminal.kill('SIGKILL');
    rmSync(dirname(scene.journal), { recursive: true });
  }
}

/** Ends the session, and looks whether any process of it outlives that. */
export async function leftNothing(client: EmulatedClient, end: () => Promise<unknown>): Promise<void> {
  const processes = [client, ...client.children].map(({ pid }) => pid);
  const terminals = client.terminals.flatMap(({ pid }) => pid ?? []);
  const family = [...processes, ...terminals].flatMap(familyOf);
  expect(family.length).toBeGreaterThan(0);
  await end();
  await vi.waitFor(() => expect(survivors(family)).toEqual([]), { timeout: 20_000 });
}
