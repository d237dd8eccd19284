/** The launch templates as they are shipped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const templates = join(import.meta.dirname, '..', '..', 'launch-templates');

/** The text of a file of launch-templates/. */
export function shippedTemplate(path: string): string {
  return readFileSync(join(templates, path), 'utf8');
}
