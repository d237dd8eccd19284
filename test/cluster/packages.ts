/** Debian's packages that the test cluster and its images are made of, installed when they are missing. */
import { ClusterError } from './error.ts';
import { privileged, privilegedLine } from './privileges.ts';
import { run } from './run.ts';

/** What the node needs: the container runtime, the pods' network plugins (which bring iptables) and kube-proxy's nft. */
export const nodePackages = ['containerd', 'runc', 'containernetworking-plugins', 'nftables'] as const;

/** Installs those of the packages that are missing; asks the network for nothing if none is. */
export async function ensurePackages(
  packages: readonly string[],
  onProgress: (text: string) => void = () => {},
  signal?: AbortSignal,
): Promise<void> {
  const missing = await missingPackages(packages, signal);
  if (missing.length === 0) return;
  onProgress(`installing ${missing.join(', ')}`);
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];
  const install = [...apt, 'install', '-y', '--no-install-recommends', ...missing];
  try {
    // A list that could not be renewed may still be good enough for the installation, which says so if it is not.
    await run(privileged([...apt, 'update']), { signal }).catch(() => undefined);
    await run(privileged(install), { signal });
  } catch (error) {
    const line = privilegedLine(['apt-get', 'install', '-y', '--no-install-recommends', ...missing]);
    const reason = error instanceof Error ? error.message : String(error);
    throw new ClusterError(`Packages are missing and could not be installed. Run once: ${line}\n${reason}`);
  }
}

async function missingPackages(packages: readonly string[], signal?: AbortSignal): Promise<string[]> {
  // dpkg-query fails if it does not know one of them, and yet lists the others.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a format of dpkg-query
  const format = '--showformat=${Package} ${db:Status-Status}\n';
  const { stdout } = await run(['dpkg-query', '--show', format, ...packages], {
    signal,
    accept: [0, 1],
  });
  const installed = new Set(
    stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.slice(0, line.indexOf(' '))] : [])),
  );
  return packages.filter((name) => !installed.has(name));
}
