/** Each emulated client with real debuggers: none of its rules is broken, and nothing is left behind. */
import { describe, expect, test, vi } from 'vitest';
import { Lsp4ij } from './lsp4.ts';
import { NvimDap } from './nvim-dap.ts';
import { type DebuggerType, sceneWith } from './scene.ts';
import { clients, debugged, leftNothing } from './stage.ts';
import { VsCode } from './vscode.ts';

const greeting = 'from the cluster';
const debuggers: DebuggerType[] = ['debugpy', 'node'];
const everyOne = clients.flatMap(([name, start]) => debuggers.map((type) => [name, type, start] as const));

/** Only the end is another one. */
const likeItsSuccessor = 'older Helix';

describe.concurrent('an emulated client', () => {
  test.each(everyOne.filter(([name]) => name !== likeItsSuccessor))(
    '%s debugs with %s to the end',
    async (_name, type, start) => {
      await debugged(start, sceneWith(type), async (client) => {
        const stop = await client.stopped();
        expect(stop.line).toBe(client.scene.breakpoint.line);
        expect(stop.variables.get('greeting')).toBe(`'${greeting}'`);
        await leftNothing(client, () => client.runToEnd(stop));
        expect(client.shown).toContain(`Greeting ${greeting}`);
        expect(client.journal).toBe('connecting\nconnected\nundone\n');
      });
    },
  );

  test.each(everyOne)('%s stops %s at a breakpoint', async (_name, type, start) => {
    await debugged(start, sceneWith(type, { undo: 300 }), async (client) => {
      await client.stopped();
      await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
      expect(client.shown).not.toContain('Greeting');
    });
  });

  test.each(clients)('%s stops while connecting', async (_name, start) => {
    await debugged(start, sceneWith('debugpy', { connect: 3_600_000 }), async (client) => {
      await vi.waitFor(() => expect(client.journal).toBe('connecting\n'), { timeout: 20_000 });
      await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
      expect(client.journal).toBe('connecting\nundone\n');
      if (client instanceof NvimDap) expect(client.notices).toEqual([expect.stringContaining('cancelled')]);
    });
  });

  // These kill the debug adapter with SIGKILL as soon as they have their answer: nothing can be undone after it.
  test.each(clients.filter(([name]) => ['dape', 'Helix'].includes(name)))(
    '%s hears of the end only when all is undone',
    async (_name, start) => {
      await debugged(start, sceneWith('debugpy', { undo: 1000 }), async (client) => {
        await client.stopped();
        await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
        expect(client.journalAtKill).toBe('connecting\nconnected\nundone\n');
      });
    },
  );

  test.each(clients)('%s shows why the launch failed', async (_name, start) => {
    const delegate = { python: '/usr/bin/false' };
    await debugged(start, sceneWith('debugpy', { delegate }), async (client) => {
      await leftNothing(client, () => client.gone());
      expect(client.failure).toContain('"/usr/bin/false -m pip install debugpy"');
      expect(client.journal).toBe('undone\n');
    });
  });

  test('VS Code cancels connecting', async () => {
    await debugged(
      (scene) => new VsCode(scene),
      sceneWith('debugpy', { connect: 3_600_000 }),
      async (client) => {
        if (!(client instanceof VsCode)) throw new Error('Not VS Code.');
        await leftNothing(client, () => Promise.all([client.cancel(), client.gone()]));
        expect(client.unfinished).toBe(0);
        expect(await client.launched).toMatchObject({ success: false, message: 'cancelled' });
        expect(client.journal).toBe('connecting\nundone\n');
      },
    );
  });

  test.each(debuggers)('LSP4IJ runs with %s without debugging', async (type) => {
    const delegate = { env: { STAY: 'yes' } };
    await debugged(Lsp4ij.start, sceneWith(type, { noDebug: true, delegate }), async (client) => {
      if (!(client instanceof Lsp4ij)) throw new Error('Not LSP4IJ.');
      await client.started;
      await vi.waitFor(() => expect(client.shown).toContain(`Greeting ${greeting}`), { timeout: 20_000 });
      await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
    });
  });
});
