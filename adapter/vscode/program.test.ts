import { describe, expect, it } from 'vitest';
import { findExtensionProgram, type NodeSurroundings } from './program.ts';

const script = '/extension/dist/kubernetes-local.js';

interface Given {
  readonly own: string;
  readonly electron?: string;
  /** The Nodes that there are: path → version. */
  readonly nodes?: Readonly<Record<string, string>>;
}

function find({ own, electron, nodes = {} }: Given, setting = '') {
  const surroundings: NodeSurroundings = {
    execPath: '/vscode/own',
    versions: { node: own, ...(electron !== undefined && { electron }) },
    versionOf: async (program) => nodes[program],
    find: (name) => Object.keys(nodes).find((path) => path === name || path.endsWith(`/${name}`)),
  };
  return findExtensionProgram(script, setting, surroundings);
}

describe('the Node for our command line', () => {
  it('is the one that runs the extension, if it is a plain one and new enough', async () => {
    expect(await find({ own: '22.19.0' })).toEqual({ command: '/vscode/own', args: [script], env: {} });
  });

  it('is that of the PATH where VS Code runs extensions in itself', async () => {
    const program = await find({ own: '24.1.0', electron: '39.0.0', nodes: { '/usr/bin/node': '24.0.0' } });
    expect(program).toEqual({ command: '/usr/bin/node', args: [script], env: {} });
  });

  it('is VS Code itself, told to be a Node, where there is no other', async () => {
    const itself = { command: '/vscode/own', args: [script], env: { ELECTRON_RUN_AS_NODE: '1' } };
    expect(await find({ own: '24.1.0', electron: '39.0.0' })).toEqual(itself);
    expect(await find({ own: '24.1.0', electron: '39.0.0', nodes: { '/usr/bin/node': '20.20.2' } })).toEqual(itself);
  });

  it('is the one of the setting', async () => {
    const nodes = { '/opt/node': '23.0.0', '/usr/bin/node': '24.0.0' };
    expect(await find({ own: '24.1.0', nodes }, '/opt/node')).toMatchObject({ command: '/opt/node' });
  });

  it.each([
    ['too old', '/opt/node', { '/opt/node': '22.18.1' }, 'which is Node 22.18.1'],
    ['not there', '/none', {}, 'which does not start'],
  ])('is a problem if that is %s', async (_, setting, nodes, why) => {
    await expect(find({ own: '24.1.0', nodes }, setting)).rejects.toMatchObject({
      code: 'command-missing',
      why: expect.stringContaining(why),
    });
  });

  it.each([
    ['none', {}, 'There is none on the PATH'],
    ['an old one', { '/usr/bin/node': '20.20.2' }, 'The one on the PATH is Node 20.20.2'],
  ])('is a problem with %s and an old VS Code', async (_, nodes, why) => {
    await expect(find({ own: '20.18.0', nodes })).rejects.toMatchObject({
      code: 'command-missing',
      why: expect.stringContaining(why),
      remedy: expect.stringContaining('kubernetes-local.node'),
    });
  });
});
