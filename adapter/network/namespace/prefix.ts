/** The words that let a command run inside a private network, as what it would be outside. */
import type { NamespaceWay } from './obstacle.ts';
import { findTool } from './tools.ts';

/**
 * Words for the front of a command: it runs in the namespaces of `pid` as the same user without further rights, in the same
 * folder, with the same environment. All these programs replace themselves by the next, so that signals and exit code are
 * the command's own.
 *
 * Entering a mount namespace puts a process at its root (setns(2)), hence the shell, which alone knows where it was started.
 * bash, because other shells drop variables with a dot or a dash in their name; they serve where there is no bash. With -p
 * it does not run the user's BASH_ENV, with --norc not .bashrc, which it does when its standard input is a socket.
 */
export function prefixOf(pid: number, { tools, users }: NamespaceWay): readonly string[] {
  const user = users === 'none' ? '' : ' --user --preserve-credentials';
  const enter = `${quoted(tools.nsenter)} --target ${pid}${user} --mount --net`;
  const script = `exec ${enter} -- ${quoted(tools.unshare)} --wd "$PWD" -- "$@"`;
  const bash = findTool('bash');
  return [...(bash === undefined ? ['/bin/sh'] : [bash, '--norc', '-p']), '-c', script, 'kubernetes-local'];
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
