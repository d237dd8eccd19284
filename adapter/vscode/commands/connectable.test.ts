import { describe, expect, it } from 'vitest';
import { connectableConfigurations } from './connectable.ts';

describe('connectableConfigurations', () => {
  it('are those of our type that name a target', () => {
    const cart = { type: 'kubernetes-local', name: 'cart', target: 'service/cart', delegate: { type: 'debugpy' } };
    const written = [
      { type: 'node', name: 'web', target: 'es2024' },
      cart,
      { type: 'kubernetes-local', name: 'unfinished' },
      { type: 'kubernetes-local/debugpy', name: 'old', target: 'prices' },
      'nonsense',
    ];
    expect(connectableConfigurations(written, 'kubernetes-local').map(({ name, target }) => [name, target])).toEqual([
      ['cart', 'service/cart'],
      ['old', 'prices'],
    ]);
    expect(connectableConfigurations(written, 'kubernetes-local')[0]?.configuration).toEqual(cart);
  });

  it('are none where launch.json is none', () => {
    expect(connectableConfigurations(undefined, 'kubernetes-local')).toEqual([]);
  });
});
