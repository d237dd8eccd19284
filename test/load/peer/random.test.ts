import { describe, expect, it } from 'vitest';
import { chunksOf, digestOf, newHash, SeededNumbers } from './random.ts';

describe('the data of a seed', () => {
  it('is the same whatever the chunks are, and other data for another seed', () => {
    const length = 3_000_001;
    const chunks = [...chunksOf('a', length)];
    const hash = newHash();
    for (const chunk of chunks) hash.update(chunk);
    const digest = hash.digest('hex');
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(length);
    expect(digest).toBe(digestOf('a', length));
    expect(digest).not.toBe(digestOf('b', length));
    expect(digest).not.toBe(digestOf('a', length - 1));
  });

  it('comes in chunks of every size', () => {
    const sizes = [...chunksOf('sizes', 50_000_000)].map(({ length }) => length);
    expect(Math.min(...sizes)).toBeLessThan(10);
    expect(Math.max(...sizes)).toBeGreaterThan(900_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1 << 20);
  });
});

it('gives numbers within their limits, both included', () => {
  const numbers = new SeededNumbers('dice');
  const thrown = Array.from({ length: 1000 }, () => numbers.between(1, 6));
  expect([...new Set(thrown)].sort()).toEqual([1, 2, 3, 4, 5, 6]);
});
