import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseLaunchConfiguration } from '../../adapter/launch/configuration.ts';
import { openWorld, type World } from '../stage/world.ts';
import { atTerminal, keys } from './pseudo-terminal.ts';

let world: World;
let root: string;
let folder: string;
beforeAll(async () => {
  world = await openWorld('e2e-init');
  root = mkdtempSync(join(tmpdir(), 'init-'));
  folder = join(root, 'cart');
  cpSync(join(import.meta.dirname, '..', 'apps', 'shop', 'cart'), folder, { recursive: true });
  mkdirSync(join(folder, '.vscode'));
  writeFileSync(launchFile(), before);
});
afterAll(async () => {
  if (root !== undefined) rmSync(root, { recursive: true });
  await world?.[Symbol.asyncDispose]();
});

const launchFile = () => join(folder, '.vscode', 'launch.json');
const before = `{
\t// What we had.
\t"version": "0.2.0",
\t"configurations": [
\t\t{ "name": "Cart", "type": "debugpy", "request": "launch", "program": "\${workspaceFolder}/cart.py", }, // alone
\t],
}
`;

function init(...options: readonly string[]) {
  return atTerminal([...world.product, 'init', '--namespace', world.place.namespace, ...options], {
    cwd: folder,
    env: world.environment,
  });
}

describe('kubernetes-local init in a terminal', () => {
  it('writes the launch configuration of the service that the folder is named after, and leaves the rest', async () => {
    const cluster = await world.snapshot();
    const terminal = init();
    await terminal.saw('● cart (port 80, Deployment)');
    terminal.press(keys.enter);
    await terminal.saw('for port 8080 of cart');
    terminal.press(`${keys.backspace.repeat(4)}5000${keys.enter}`);
    await terminal.saw('● Cart (your launch configuration)');
    terminal.press(keys.enter);
    const { code, shown } = await terminal.ended;
    expect(shown).toContain('Changed: .vscode/launch.json\nThe configuration is called "Cart in the cluster".');
    expect(code).toBe(0);
    const after = readFileSync(launchFile(), 'utf8');
    const [head = '', tail = ''] = before.split('\n\t\t{');
    expect(after.startsWith(head)).toBe(true);
    expect(after.endsWith(`\n\t\t{${tail}`)).toBe(true);
    const [first] = parse(after).configurations;
    expect(parseLaunchConfiguration(first, 'launch.json')).toMatchObject({
      name: 'Cart in the cluster',
      target: 'service/cart',
      namespace: world.place.namespace,
      ports: { '8080': 5000 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of VS Code
      delegate: { type: 'debugpy', program: '${workspaceFolder}/cart.py' },
    });
    // It only reads.
    await world.asBefore(cluster);
  });

  it('changes it in its place the second time', async () => {
    const commented = readFileSync(launchFile(), 'utf8').replace(
      '"target"',
      '"network": "env", // mine\n\t\t\t"target"',
    );
    writeFileSync(launchFile(), commented);
    const terminal = init();
    await terminal.saw('● cart (port 80, Deployment)');
    terminal.press(keys.enter);
    await terminal.saw('"Cart in the cluster" is for this target already.');
    terminal.press(keys.enter);
    await terminal.saw('5000');
    terminal.press(`${keys.backspace.repeat(4)}5001${keys.enter}`);
    await terminal.saw('● As it is (debugger debugpy)');
    terminal.press(keys.enter);
    const { code } = await terminal.ended;
    expect(code).toBe(0);
    expect(readFileSync(launchFile(), 'utf8')).toBe(commented.replace('5000', '5001'));
  });

  it('writes nothing after Ctrl-C', async () => {
    const now = readFileSync(launchFile(), 'utf8');
    const terminal = init();
    await terminal.saw('● cart (port 80, Deployment)');
    terminal.press(keys.down + keys.enter);
    await terminal.saw('of prices');
    terminal.press(keys.interrupt);
    const { code, shown } = await terminal.ended;
    expect(shown).toContain('error (cancelled): Cancelled.\n  Nothing was written.');
    expect(code).toBe(130);
    expect(readFileSync(launchFile(), 'utf8')).toBe(now);
  });
});
