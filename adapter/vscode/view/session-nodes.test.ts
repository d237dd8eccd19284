import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionState } from '../connections/state.ts';
import { exampleConnection, exampleForeign, exampleHeld } from './example-connection.ts';
import { sessionNodes, type TreeSource } from './session-nodes.ts';
import type { TreeNode } from './tree-node.ts';

const closed: TreeSource = { standing: async () => undefined, isRevealed: () => false };
const nothing = { state: { kind: 'none' }, held: [], foreign: [] } as const;

/** All nodes with what is beneath them, as indented lines. */
async function outline(nodes: readonly TreeNode[], indent = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const { kind, label, description, children } of nodes) {
    lines.push(`${indent}${kind}: ${label}${description === undefined ? '' : ` | ${description}`}`);
    lines.push(...(await outline((await children?.()) ?? [], `${indent}  `)));
  }
  return lines;
}

async function all(nodes: readonly TreeNode[]): Promise<TreeNode[]> {
  const found = await Promise.all(nodes.map(async (node) => [node, ...(await all((await node.children?.()) ?? []))]));
  return found.flat();
}

const heldOnly = { ...nothing, held: [exampleHeld] };

describe('sessionNodes', () => {
  it('has nothing where no session is known', () => {
    expect(sessionNodes(nothing, closed)).toEqual([]);
  });

  it('shows a session of this window in groups, sorted, with the values of secrets hidden', async () => {
    const withoutFiles = { ...exampleHeld, connection: { ...exampleConnection, mounts: [] } };
    expect(await outline(sessionNodes({ ...nothing, held: [withoutFiles] }, closed))).toEqual([
      'sessionHeld: cart | connected, shop of kind-e2e',
      '  group: Service names | 2',
      '    name: prices | 127.64.0.2:80, :443',
      '    name: redis | 127.64.0.3:6379',
      '  group: Ports | 1',
      '    port: 8080 → 5000 | 127.0.0.1:5000',
      '  group: Environment | 5',
      '    variable: BANNER | two lines (ConfigMap cart)',
      '    secretHidden: DB_PASSWORD | hidden (Secret db)',
      '    variable: EMPTY | container cart',
      '    variable: REDIS_HOST | redis (container cart)',
      '    group: Addresses of Services | 1',
      '      variable: A_PORT | tcp://127.64.0.9:80 (Service a)',
      '  group: Pods | 2',
      '    pod: cart-7d-2',
      '    pod: cart-7d-10',
    ]);
  });

  it('shows a secret nowhere until it is revealed, and only that one', async () => {
    const texts = (nodes: readonly TreeNode[]) =>
      nodes
        .map(({ label, description, tooltip, spoken }) => [label, description, tooltip, spoken].join(' '))
        .join('\n');
    expect(texts(await all(sessionNodes(heldOnly, closed)))).not.toContain('hunter2');
    const open = { ...closed, isRevealed: (id: string) => id === 'k1/environment/DB_PASSWORD' };
    const shown = (await all(sessionNodes(heldOnly, open))).find(({ label }) => label === 'DB_PASSWORD');
    expect(shown).toMatchObject({ kind: 'secretShown', description: 'hunter2 (Secret db)', copy: 'hunter2' });
  });

  it('gives every node a name for screen readers, and an id of its own', async () => {
    const source = { ...closed, standing: async () => exampleConnection };
    const sessions = { ...heldOnly, foreign: [exampleForeign('connected')] };
    const nodes = await all(sessionNodes(sessions, source));
    expect(nodes.filter(({ spoken }) => spoken.trim() === '')).toEqual([]);
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
    expect(nodes.length).toBeGreaterThan(30);
  });

  it('says where a name leads if its ports are others here, and copies the address where the name does not resolve', async () => {
    const [redis] = exampleConnection.services;
    if (redis === undefined) throw new Error('the example has no Service');
    const moved = { ...redis, address: '127.0.0.1', ports: [{ port: 6379, localPort: 21_004 }] };
    const connection = { ...exampleConnection, network: { mode: 'env', reason: '' } as const, services: [moved] };
    const nodes = await all(sessionNodes({ ...nothing, held: [{ ...exampleHeld, connection }] }, closed));
    expect(nodes.find(({ kind }) => kind === 'name')).toMatchObject({
      label: 'redis',
      description: '127.0.0.1:21004 for port 6379',
      copy: '127.0.0.1:21004',
    });
  });

  it('asks for the connection of another program only when its session is opened', async () => {
    const asked: string[] = [];
    const source = {
      ...closed,
      standing: async (key: string) => {
        asked.push(key);
        return exampleConnection;
      },
    };
    const [node] = sessionNodes({ ...nothing, foreign: [exampleForeign('connected')] }, source);
    expect(node).toMatchObject({
      kind: 'sessionForeign',
      description: 'connected by another program, shop of kind-e2e',
    });
    expect(asked).toEqual([]);
    const groups = (await node?.children?.()) ?? [];
    expect(asked).toEqual(['k2']);
    expect(groups.map(({ label }) => label)).toEqual(['Service names', 'Ports', 'Environment', 'Files', 'Pods']);
  });

  it('says so when another program’s session is gone by then', async () => {
    expect(await outline(sessionNodes({ ...nothing, foreign: [exampleForeign('connected')] }, closed))).toEqual([
      'sessionForeign: web | connected by another program, shop of kind-e2e',
      '  note: It does not stand any more.',
    ]);
  });

  it('shows interrupted and busy sessions without anything beneath them', async () => {
    const lines = async (state: ConnectionState, foreign = exampleForeign('undoing')) =>
      outline(sessionNodes({ state, held: [], foreign: [foreign] }, closed));
    expect(await lines({ kind: 'none' }, exampleForeign('interrupted'))).toEqual([
      'sessionInterrupted: web | interrupted, shop of kind-e2e',
    ]);
    expect(await lines({ kind: 'connecting', target: 'service/cart', step: 'Waiting for pods' })).toEqual([
      'sessionBusy: cart | connecting: Waiting for pods',
      'sessionBusy: web | undoing by another program, shop of kind-e2e',
    ]);
    expect(
      await lines({ kind: 'undoing', target: 'service/cart' }, { ...exampleForeign('connected'), place: '' }),
    ).toEqual([
      'sessionBusy: cart | undoing',
      'sessionForeign: web | connected by another program',
      '  note: It does not stand any more.',
    ]);
  });
});

describe('files of a mount', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mount-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const filesOf = async (localPath: string) => {
    const [mount] = exampleConnection.mounts;
    if (mount === undefined) throw new Error('the example has no mount');
    const connection = { ...exampleConnection, mounts: [{ ...mount, localPath }] };
    const nodes = await all(sessionNodes({ ...nothing, held: [{ ...exampleHeld, connection }] }, closed));
    return nodes.find(({ kind }) => kind === 'mount')?.children?.();
  };

  it('are read when it is opened, folders before what is in them, without the links of the kubelet', async () => {
    mkdirSync(join(folder, '..2026'));
    writeFileSync(join(folder, '..2026', 'a.yaml'), '');
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync(join('..data', 'a.yaml'), join(folder, 'a.yaml'));
    mkdirSync(join(folder, 'more'));
    writeFileSync(join(folder, 'more', 'b.txt'), '');
    expect(await outline((await filesOf(folder)) ?? [])).toEqual(['file: a.yaml', 'folder: more', '  file: b.txt']);
    const [first] = (await filesOf(folder)) ?? [];
    expect(first?.opens).toBe(join(folder, 'a.yaml'));
  });

  it('may be one file, none, or not readable any more', async () => {
    writeFileSync(join(folder, 'one'), '');
    expect((await filesOf(join(folder, 'one')))?.map(({ opens }) => opens)).toEqual([join(folder, 'one')]);
    mkdirSync(join(folder, 'empty'));
    expect(await outline((await filesOf(join(folder, 'empty'))) ?? [])).toEqual(['note: No files.']);
    const [gone] = (await filesOf(join(folder, 'gone'))) ?? [];
    expect(gone?.label).toContain('ENOENT');
  });

  it('that are left out are told with the reason', async () => {
    const nodes = await all(sessionNodes(heldOnly, closed));
    expect(nodes.find(({ label }) => label === '/data')).toMatchObject({
      description: 'left out',
      spoken: '/data, left out. It is larger than 64Mi.',
    });
  });
});
