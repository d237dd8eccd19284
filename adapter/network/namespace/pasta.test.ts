import { afterEach, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import type { NamespaceWay } from './obstacle.ts';
import { hasPasta, startPasta } from './pasta.ts';
import type { Tool } from './tools.ts';

const missing = vi.hoisted(() => new Set<string>());
vi.mock(import('./tools.ts'), async (original) => {
  const tools = await original();
  return { ...tools, findTool: (tool: Tool) => (missing.has(tool) ? undefined : tools.findTool(tool)) };
});
afterEach(() => missing.clear());

const never = new AbortController().signal;
const way: NamespaceWay = { users: 'self', tools: { unshare: '', nsenter: '', ip: '', mount: '', umount: '' } };

it('says how pasta is installed where it is missing', async () => {
  expect(hasPasta()).toBe(true);
  missing.add('pasta');
  expect(hasPasta()).toBe(false);
  expect(await startPasta(process.pid, way, silentLog, never)).toBe('install passt: apt install passt');
});

it('says the same of the program that ends it with this process', async () => {
  missing.add('setpriv');
  expect(await startPasta(process.pid, way, silentLog, never)).toBe('install setpriv: apt install util-linux');
});

it('says why pasta does not start', async () => {
  // No process has this number: it is beyond the largest that Linux gives.
  expect(await startPasta(2 ** 22 + 1, way, silentLog, never)).toMatch(/^pasta did not start: .*namespace/);
});

it('is not tried where user namespaces are forbidden', async () => {
  expect(await startPasta(process.pid, { ...way, users: 'none' }, silentLog, never)).toContain('user namespaces');
});
