import { describe, expect, it } from 'vitest';
import { aboutOf, placeOptions, remedyArgument } from './about.ts';

describe('the argument of a command', () => {
  it('says what it is about', () => {
    expect(placeOptions(aboutOf({ target: 'service/cart', namespace: 'shop' }))).toEqual([
      '--target',
      'service/cart',
      '--namespace',
      'shop',
    ]);
    expect(aboutOf(undefined)).toEqual({});
    expect(aboutOf({ target: 5 })).toEqual({});
  });

  it('of a remedy has one of its commands, for anybody may call it', () => {
    expect(remedyArgument({ command: 'restore', context: 'kind-e2e' })).toEqual({
      command: 'restore',
      context: 'kind-e2e',
    });
    expect(remedyArgument({ command: 'workbench.action.quit' })).toBeUndefined();
    expect(remedyArgument(undefined)).toBeUndefined();
  });
});
