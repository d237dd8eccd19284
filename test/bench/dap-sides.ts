/** The two sides of each comparison: a real debug adapter alone, and behind ours as it is shipped, in one bundle. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePrograms } from '../../adapter/bundle.ts';
import { DapClient } from '../dap-client.ts';

/** A debug adapter, and how it launches the program. */
export interface Subject {
  readonly type: string;
  readonly command: readonly string[];
  readonly launch: Readonly<Record<string, unknown>>;
  /** Variables of the debug adapter's process, on both sides. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Sides extends AsyncDisposable {
  readonly folder: string;
  /** The command lines that start both. */
  argv(side: Side, subject: Subject): readonly string[];
}

export type Side = 'ours' | 'other';

/** Bundles our debug adapter without a cluster (test/debuggers/served.ts) as build.ts bundles the program. */
export async function openSides(): Promise<Sides> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-dap-'));
  const bundle = join(folder, 'served.mjs');
  await bundlePrograms({ served: fileURLToPath(new URL('../debuggers/served.ts', import.meta.url)) }, folder, {
    extension: '.mjs',
  });
  return {
    folder,
    argv: (side, { type, command }) => (side === 'other' ? command : [process.execPath, bundle, '--delegate', type]),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** What `launch` is asked of a side. */
export function launchArguments(side: Side, { type, command, launch }: Subject): object {
  if (side === 'other') return launch;
  return { target: 'cart', delegate: { ...launch, type, request: 'launch' }, debugAdapter: { command } };
}

/** Starts a side as far as `launch`, which is not waited for: some answer it only when all is configured. */
export async function begin(sides: Sides, side: Side, subject: Subject) {
  const client = DapClient.spawn(sides.argv(side, subject), { env: { ...process.env, ...subject.env } });
  await client.request('initialize', { clientID: 'bench', adapterID: subject.type, pathFormat: 'path' });
  const launched = client.request('launch', launchArguments(side, subject));
  await Promise.race([client.waitForEvent('initialized'), launched.then(() => new Promise<never>(() => {}))]);
  return { client, launched };
}

export async function end(client: DapClient): Promise<void> {
  await client.request('disconnect', { terminateDebuggee: true });
  client.endInput();
  await client.exited;
}
