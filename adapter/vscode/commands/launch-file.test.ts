import { describe, expect, it } from 'vitest';
import { placeOfConfiguration } from './launch-file.ts';

const text = `{
  // "name": "cart in the cluster"
  "configurations": [
    { "name": "other" },
    { "type": "kubernetes-local", "name": "cart in the cluster", },
  ],
}`;

describe('placeOfConfiguration', () => {
  it('finds the object with the name', () => {
    const { offset = 0, length = 0 } = placeOfConfiguration(text, 'cart in the cluster') ?? {};
    expect(text.slice(offset, offset + length)).toBe('{ "type": "kubernetes-local", "name": "cart in the cluster", }');
  });

  it('finds nothing where there is none', () => {
    expect(placeOfConfiguration(text, 'web')).toBeUndefined();
    expect(placeOfConfiguration('', 'web')).toBeUndefined();
  });
});
