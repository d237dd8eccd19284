import { expect, it } from 'vitest';
import { librariesIn } from './debian-files.ts';

it('finds the shared libraries among what a package depends on', () => {
  const depends = 'locales | locales-all, libc6 (>= 2.34), libpq5, libssl3:any (>= 3), zlib1g (>= 1:1.1.4), ssl-cert';
  expect(librariesIn(depends)).toEqual(['libc6', 'libpq5', 'libssl3', 'zlib1g']);
});
