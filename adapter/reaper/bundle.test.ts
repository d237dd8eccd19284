import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleReaper } from './bundle.ts';

let folder: string;
let program: string;
let code: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-reaper-'));
  program = join(folder, 'reaper.mjs');
  code = await bundleReaper();
  writeFileSync(program, code);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Its exit code and the last message of its log, outside of any pod. */
async function run(...args: readonly string[]) {
  const { KUBERNETES_SERVICE_HOST: _, ...env } = process.env;
  const child = spawn(process.execPath, [program, 'reaper', ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, status] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  const [last = '{}'] = output.trim().split('\n').slice(-1);
  return { status, last: JSON.parse(last) as unknown };
}

test('it is small: no Kubernetes client, no languages but English', () => {
  expect(code).not.toContain('@kubernetes/client-node');
  expect(code.length).toBeLessThan(600_000);
});

test.each([
  [['--delay', '60']],
  [['--namespace', 'shop', '--delay', '60']],
  [['--namespace', 'shop', '--lease', 'a', '--all-namespaces', '--delay', '60']],
  [['--all-namespaces']],
  [['--all-namespaces', '--delay', '29']],
])('%j is not understood', async (args) => {
  expect(await run(...args)).toMatchObject({
    status: 1,
    last: { level: 'error', message: expect.stringContaining('--delay SECONDS, at least 30') },
  });
});

test.each([[['--all-namespaces']], [['--namespace', 'shop', '--lease', 'a']]])('%j needs a pod', async (args) => {
  expect(await run(...args, '--delay', '30')).toMatchObject({
    status: 1,
    last: { level: 'error', message: expect.stringContaining('KUBERNETES_SERVICE_HOST is not set') },
  });
});
