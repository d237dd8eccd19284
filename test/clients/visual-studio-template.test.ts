/** launch-templates/visual-studio/kubernetes-local.launch.json, changed as its README says, in the emulated Visual Studio. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { replaced } from '../templates/marked-lines.ts';
import { windowsWords } from '../templates/windows.ts';
import { type DebuggerType, programOf, sceneOf } from './scene.ts';
import { debugged, leftNothing } from './stage.ts';
import { VisualStudio } from './visual-studio.ts';

const folder = join(import.meta.dirname, '..', '..', 'launch-templates', 'visual-studio');
const template = readFileSync(join(folder, 'kubernetes-local.launch.json'), 'utf8');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

test.each<DebuggerType>(['debugpy', 'node'])('the launch file debugs with %s', async (type) => {
  const { path } = programOf(type);
  const changes = { 'C:\\\\src\\\\cart\\\\main.py': path, 'C:\\\\src\\\\cart': dirname(path), debugpy: type };
  for (const text of ['C:\\\\src\\\\cart', 'debugpy', 'service/cart', 'C:\\\\Program Files\\\\nodejs\\\\node.exe']) {
    expect(template).toContain(text);
    expect(readme).toContain(text);
  }
  const configuration = z.record(z.string(), z.unknown()).parse(JSON.parse(replaced(template, changes)));
  // What is for Visual Studio is sent to the debug adapter too.
  const [script, ...args] = windowsWords(z.string().parse(configuration.$adapterArgs));
  expect(script).toMatch(/\\kubernetes-local\.js$/);
  const scene = sceneOf(type, ['kubernetes-local', ...args], configuration);
  await debugged(
    (one) => new VisualStudio(one),
    scene,
    async (client) => {
      expect((await client.stopped()).line).toBe(client.scene.breakpoint.line);
      await leftNothing(client, () => Promise.all([client.stop(), client.gone()]));
      expect(client.journal).toBe('connecting\nconnected\nundone\n');
    },
  );
});
