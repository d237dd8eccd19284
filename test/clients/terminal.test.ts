/** A program in a terminal of the client: its secrets are in its environment, and nowhere else to be seen. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Dape } from './dape.ts';
import { Helix } from './helix.ts';
import { Lsp4e } from './lsp4.ts';
import { NvimDap } from './nvim-dap.ts';
import { type DebuggerType, sceneWith } from './scene.ts';
import { debugged, leftNothing, type Starter } from './stage.ts';
import { Sublime } from './sublime.ts';
import { VsCode } from './vscode.ts';

const secret = 'hunter2-of-the-terminal';
const starters: readonly (readonly [name: string, start: Starter])[] = [
  ['VS Code', (scene) => new VsCode(scene)],
  ['nvim-dap', (scene) => new NvimDap(scene)],
  ['dape', (scene) => new Dape(scene)],
  ['Helix', (scene) => new Helix(scene)],
  ['LSP4E', (scene) => new Lsp4e(scene)],
  ['Sublime Text', (scene) => new Sublime(scene)],
];
const debuggers: DebuggerType[] = ['debugpy', 'node'];
const everyOne = starters.flatMap(([name, start]) => debuggers.map((type) => [name, type, start] as const));

/** The command lines of all processes. */
function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8')] : [];
    } catch {
      return [];
    }
  });
}

describe.concurrent('a program in a terminal of the client', () => {
  test.each(everyOne)('%s shows no secret of %s', async (_name, type, start) => {
    const delegate = { console: 'integratedTerminal', env: { SECRET: secret } };
    await debugged(start, sceneWith(type, { delegate }), async (client) => {
      const stop = await client.stopped();
      expect(stop.variables.get('secret')).toBe(`'${secret}'`);
      expect(stop.variables.get('greeting')).toBe("'from the cluster'");
      expect(client.terminals).toHaveLength(1);
      const asked = client.reverseRequests.map((request) => JSON.stringify(request));
      expect(asked.filter((text) => text.includes('"runInTerminal"'))).toHaveLength(1);
      expect(asked.filter((text) => text.includes(secret))).toEqual([]);
      expect(commandLines().filter((line) => line.includes(secret))).toEqual([]);
      await leftNothing(client, () => client.runToEnd(stop));
      expect(client.shown).toContain('Greeting from the cluster');
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
    });
  });
});
