/** The product as a user gets it: the bundle of `npm run build`, built once per process. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
let built = false;

/** The command that starts kubernetes-local. Builds it first, so that no stale bundle is ever tested. */
export function product(): readonly string[] {
  if (!built) execFileSync(process.execPath, [join(root, 'build.ts')], { cwd: root, stdio: 'inherit' });
  built = true;
  return [process.execPath, join(root, 'dist', 'kubernetes-local.js')];
}
