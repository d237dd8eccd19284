/** The menus of the view, for the manifest: what can be done with each kind of node. */
import { commands, sessionsView } from '../identifiers.ts';
import type { NodeKind } from './tree-node.ts';

function on(...kinds: readonly NodeKind[]): string {
  return `view == ${sessionsView} && viewItem =~ /^(${kinds.join('|')})$/`;
}

const sessions = on('sessionHeld', 'sessionForeign');
const copyable = on('name', 'port', 'variable', 'secretHidden', 'secretShown', 'mount', 'folder', 'file', 'pod');
const secrets = on('secretHidden', 'secretShown');

/** Inline, and in the context menu, which the keyboard reaches. */
function both(command: string, when: string, order: number) {
  return [
    { command, when, group: `inline@${order}` },
    { command, when, group: `1_session@${order}` },
  ];
}

/** `contributes.menus` for the view. */
export const viewMenus = {
  'view/title': [
    { command: commands.connect, when: `view == ${sessionsView}`, group: 'navigation@1' },
    { command: commands.refresh, when: `view == ${sessionsView}`, group: 'navigation@2' },
    { command: commands.configure, when: `view == ${sessionsView}`, group: '1_more@1' },
    { command: commands.restore, when: `view == ${sessionsView}`, group: '1_more@2' },
    { command: commands.diagnose, when: `view == ${sessionsView}`, group: '1_more@3' },
  ],
  'view/item/context': [
    ...both(commands.diagnose, sessions, 1),
    ...both(commands.disconnect, sessions, 2),
    ...both(commands.restore, on('sessionInterrupted'), 1),
    ...both(commands.revealSecret, secrets, 1),
    ...both(commands.copyValue, copyable, 2),
  ],
};
