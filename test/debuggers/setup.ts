/** Before all tests with real debuggers: all of them and the editors that read templates are installed, in one place and with progress. */
import { ensurePackages } from '../cluster/packages.ts';
import { showProgress } from '../cluster/progress.ts';
import { pythonWithNewDebugpy } from './debugpy-1.8.ts';
import { realDebuggers } from './install.ts';

export default async function setup(): Promise<void> {
  using progress = showProgress(process.stderr);
  await realDebuggers(progress.show);
  await pythonWithNewDebugpy(progress.show);
  await ensurePackages(['neovim', 'emacs-nox'], progress.show);
}
