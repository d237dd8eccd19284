import { describe, expect, it } from 'vitest';
import { offeredTasks } from './offered-tasks.ts';

const types = { debugType: 'kubernetes-local', taskType: 'kubernetes-local' };

describe('tasks that are offered', () => {
  it('connect and disconnect each target, with what its session is, but without its debugger', () => {
    const launch = {
      type: 'kubernetes-local',
      request: 'launch',
      name: 'cart in the cluster',
      target: 'service/cart',
      namespace: 'shop',
      ports: { '8080': 5000 },
      delegate: { type: 'debugpy' },
    };
    expect(offeredTasks([launch], types)).toEqual([
      {
        name: 'connect service/cart in shop',
        definition: { action: 'connect', target: 'service/cart', namespace: 'shop', ports: { '8080': 5000 } },
      },
      {
        name: 'disconnect service/cart in shop',
        definition: { action: 'disconnect', target: 'service/cart', namespace: 'shop' },
      },
    ]);
  });

  it('are one pair for a target that several name, and one for each place', () => {
    const cart = { type: 'kubernetes-local', target: 'cart' };
    const names = offeredTasks([cart, { ...cart, network: 'env' }, { ...cart, namespace: 'test' }], types).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['connect cart', 'disconnect cart', 'connect cart in test', 'disconnect cart in test']);
  });

  it('are none for what is not of our type, or names no target', () => {
    expect(offeredTasks([{ type: 'node', target: 'cart' }, { type: 'kubernetes-local' }, 'text', null], types)).toEqual(
      [],
    );
  });
});
