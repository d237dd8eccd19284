/** `npm run docs`: writes the parts of docs/ anew that are made from the program. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeParts, withMadeParts } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
for (const page of Object.keys(madeParts)) {
  const path = join(root, page);
  writeFileSync(path, withMadeParts(page, readFileSync(path, 'utf8')));
}
