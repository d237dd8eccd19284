/** The newest debugpy beside Debian's: from PyPI, in a virtual environment of its own. */
import { join } from 'node:path';
import { ensurePackages } from '../cluster/packages.ts';
import type { OnProgress } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';
import { cachedFolder } from './cached.ts';

const version = '1.8.22';

/** The Python of that environment; made if it is not there or does not run. */
export async function pythonWithNewDebugpy(onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<string> {
  const pythonIn = (folder: string) => join(folder, 'bin', 'python3');
  const imports = (folder: string) => run([pythonIn(folder), '-c', 'import debugpy'], { signal });
  // It may be moved when it is made, for only its interpreter is used and none of the scripts beside that.
  const root = await cachedFolder(
    `debugpy-${version}`,
    async (folder) => {
      const ended = await imports(folder).catch(() => undefined);
      signal?.throwIfAborted();
      return ended !== undefined;
    },
    async (folder) => {
      await ensurePackages(['python3-venv'], onProgress, signal);
      onProgress(`installing debugpy ${version}`);
      await run(['/usr/bin/python3', '-m', 'venv', folder], { signal });
      const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check'] as const;
      await run([pythonIn(folder), ...pip, 'install', `debugpy==${version}`], { signal });
    },
  );
  // What it complains about is the best explanation.
  await imports(root);
  return pythonIn(root);
}
