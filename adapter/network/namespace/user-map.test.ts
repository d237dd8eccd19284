import { describe, expect, it } from 'vitest';
import { identityMap } from './user-map.ts';

describe('identityMap', () => {
  it('maps each range of ours to itself', () => {
    expect(identityMap('         0          0 4294967295\n')).toBe('0 0 4294967295\n');
    expect(identityMap('         0       1000          1\n         1     100000      65536\n')).toBe(
      '0 0 1\n1 1 65536\n',
    );
  });
});
