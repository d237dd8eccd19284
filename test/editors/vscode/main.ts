/** `node test/editors/vscode/main.ts install | try`: VS Code for the tests, and one to try the extension in. */
import { ClusterError } from '../../cluster/error.ts';
import { showProgress } from '../../cluster/progress.ts';
import { installedVsCode } from './install.ts';
import { tryVsCode } from './try.ts';

const usage = 'Use: node test/editors/vscode/main.ts install | try [--check] [--cluster NAME]';

async function main([command, ...rest]: readonly string[]): Promise<void> {
  if (command === 'install' && rest.length === 0) {
    const progress = showProgress(process.stderr);
    const { command: start, version, browser } = await installedVsCode(progress.show);
    progress[Symbol.dispose]();
    console.log(`code-server ${version}  ${start.join(' ')}\nbrowser  ${browser}`);
  } else if (command === 'try') {
    await tryVsCode(rest);
  } else {
    throw new ClusterError(usage);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error instanceof ClusterError ? error.message : error);
  process.exitCode = 1;
}
