import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where images are kept between runs. */
export function imageCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubernetes-local', 'images');
}
