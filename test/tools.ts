/** Before the unit tests: the tools of Debian that some of them start. Without Debian they say themselves what is missing. */

import { findTool } from '../adapter/network/namespace/tools.ts';
import { ensurePackages } from './cluster/packages.ts';

export default async function setup(): Promise<void> {
  const tools = ['ip', 'mount', 'nsenter', 'pasta', 'setpriv', 'umount', 'unshare'] as const;
  if (tools.every((tool) => findTool(tool) !== undefined)) return;
  const packages = ['iproute2', 'mount', 'passt', 'util-linux'];
  await ensurePackages(packages, (text) => process.stderr.write(`${text}\n`));
}
