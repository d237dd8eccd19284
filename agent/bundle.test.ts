import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundleAgent } from './bundle.ts';

const undici = 'NativeModule internal/deps/undici/undici';

/** Runs a program until it ends by itself, and tells whether Node has loaded undici for it. */
const loadsUndici = (folder: string, program: string): boolean => {
  const teller = join(folder, 'teller.mjs');
  writeFileSync(
    teller,
    `process.on('exit', () => console.error(process.moduleLoadList.includes(${JSON.stringify(undici)})));`,
  );
  const { stderr } = spawnSync(process.execPath, ['--import', teller, program], { encoding: 'utf8' });
  const last = stderr.trim().split('\n').at(-1) ?? '';
  expect(last).toMatch(/^(true|false)$/);
  return last === 'true';
};

test('the bundled agent starts without the part of Node that it does not use', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bundle = join(folder, 'agent.mjs');
  writeFileSync(bundle, await bundleAgent());
  expect(loadsUndici(folder, bundle)).toBe(false);
  // So that the test notices when Node does otherwise.
  expect(loadsUndici(folder, join(import.meta.dirname, 'main.ts'))).toBe(true);
});
