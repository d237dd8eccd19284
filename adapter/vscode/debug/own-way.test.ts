import { expect, it } from 'vitest';
import { nameOfWritten, ofTheEditor } from './own-way.ts';

const configuration = { type: 'kubernetes-local', name: 'cart', target: 'cart', delegate: { type: 'debugpy' } };

it('names a configuration by all that is written in it, and where', () => {
  const name = nameOfWritten('/shop', configuration);
  expect(nameOfWritten('/shop', { ...configuration, __configurationTarget: 6, noDebug: false })).toBe(name);
  expect(nameOfWritten('/other', configuration)).not.toBe(name);
  expect(nameOfWritten('/shop', { ...configuration, network: 'hosts' })).not.toBe(name);
});

it('has nothing in a name that VS Code could fill in', () => {
  expect(nameOfWritten('/shop', { ...configuration, target: `\${input:target}` })).toMatch(/^[0-9a-f]+$/);
});

it('hands on what VS Code reads itself', () => {
  const written = { ...configuration, preLaunchTask: 'build', presentation: { order: 1 }, noDebug: true };
  expect(ofTheEditor(written)).toEqual({ preLaunchTask: 'build', presentation: { order: 1 }, noDebug: true });
});
