/** Clients that do not wait: a connection that takes longer than they would, and a launch that fails after that. */
import { describe, expect, test } from 'vitest';
import { Dape } from './dape.ts';
import { Helix } from './helix.ts';
import { sceneWith } from './scene.ts';
import { debugged, leftNothing, type Starter } from './stage.ts';

/** How long connecting takes: longer than the client waits for any answer. */
const impatient: readonly (readonly [name: string, milliseconds: number, start: Starter])[] = [
  ['dape', 12_000, (scene) => new Dape(scene)],
  ['Helix', 22_000, (scene) => new Helix(scene)],
  ['Helix by TCP', 22_000, Helix.overTcp],
];

describe.concurrent('a client that does not wait for the cluster', () => {
  test.each(impatient)('%s reaches the breakpoint after %i ms', async (_name, connect, start) => {
    await debugged(start, sceneWith('debugpy', { connect }), async (client) => {
      const stop = await client.stopped();
      expect(stop.variables.get('greeting')).toBe("'from the cluster'");
      expect(await client.launched).toMatchObject({ success: true });
      await leftNothing(client, () => client.runToEnd(stop));
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
    });
  });

  test.each(impatient)('%s shows why the launch failed after %i ms', async (_name, connect, start) => {
    // Both at once are refused by debugpy, when it gets the launch at last.
    const delegate = { module: 'json.tool' };
    await debugged(start, sceneWith('debugpy', { connect, delegate }), async (client) => {
      expect(await client.launched).toMatchObject({ success: true });
      await leftNothing(client, () => client.gone());
      expect(client.transcript.match(/"event":"terminated"/g)).toHaveLength(1);
      expect(client.shown).toContain('"program", "module", and "code" are mutually exclusive');
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
    });
  });
});
