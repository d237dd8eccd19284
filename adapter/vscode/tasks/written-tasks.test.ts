import { describe, expect, it } from 'vitest';
import { namesBefore, parseTasks } from './written-tasks.ts';

const tasks = parseTasks([
  { label: 'build', type: 'shell', command: 'make' },
  { label: 'cart', type: 'kubernetes-local', action: 'connect', target: 'service/cart' },
  { label: 'web', type: 'kubernetes-local', target: 'service/web', dependsOn: 'build' },
  { label: 'end', type: 'kubernetes-local', action: 'disconnect' },
  { label: 'all', dependsOn: ['build', 'cart', { label: 'web' }] },
  { label: 'round', type: 'shell', dependsOn: 'about' },
  { label: 'about', type: 'shell', dependsOn: ['round', 'cart'] },
  'no task',
]);

describe('the tasks of ours before a debug session', () => {
  it.each([
    ['none', undefined, []],
    ['none of ours', 'build', []],
    ['one that connects', 'cart', ['cart']],
    ['one that connects without saying so', 'web', ['web']],
    ['not one that disconnects', 'end', []],
    ['those that another depends on', 'all', ['cart', 'web']],
    ['each once, though tasks depend on each other', 'round', ['cart']],
    ['one that is not written down but offered', 'kubernetes-local: connect service/cart', ['connect service/cart']],
    ['one that is given as an object', { label: 'cart' }, ['cart']],
    ['no unknown one', 'something', []],
  ])('%s', (_, preLaunchTask, expected) => {
    expect(namesBefore(preLaunchTask, tasks)).toEqual(expected);
  });

  it('are none where the file has no list', () => {
    expect(parseTasks({ label: 'cart' })).toEqual([]);
  });
});
