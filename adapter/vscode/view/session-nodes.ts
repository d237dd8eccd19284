/** The sessions at the top of the tree: those of this window, of other programs, and interrupted ones. */
import type { Connection } from '../../session/protocol.ts';
import type { ConnectionState, ForeignSession, HeldConnection } from '../connections/state.ts';
import { connectionNodes } from './connection-nodes.ts';
import type { KnownSessions } from './known-sessions.ts';
import { inPlace, shortName } from './session-words.ts';
import { note, type TreeNode } from './tree-node.ts';

/** Where the tree learns what it does not hold. */
export interface TreeSource {
  /** The connection of another program's session; undefined if it does not stand any more. */
  standing(key: string): Promise<Connection | undefined>;
  isRevealed(id: string): boolean;
}

/** The nodes at the top, what is going on first, then this window's; none where no session is known. */
export function sessionNodes({ state, held, foreign }: KnownSessions, source: TreeSource): readonly TreeNode[] {
  return [
    ...busyNodes(state),
    ...held.map((each) => heldNode(each, source)),
    ...foreign.map((each) => foreignNode(each, source)),
  ];
}

function busyNodes(state: ConnectionState): readonly TreeNode[] {
  if (state.kind === 'connecting') {
    return [busyNode(state.target, state.step === '' ? 'connecting' : `connecting: ${state.step}`)];
  }
  return state.kind === 'undoing' ? [busyNode(state.target, 'undoing')] : [];
}

function busyNode(target: string, doing: string): TreeNode {
  const name = shortName(target);
  return {
    id: `busy/${target}`,
    kind: 'sessionBusy',
    label: name,
    description: doing,
    icon: 'sync~spin',
    spoken: `${name}, ${doing}`,
  };
}

function heldNode({ key, target, place, connection }: HeldConnection, source: TreeSource): TreeNode {
  const name = shortName(target);
  const { workload, container, network } = connection;
  return {
    id: key,
    kind: 'sessionHeld',
    label: name,
    description: withPlace('connected', place),
    tooltip: `${target} in ${place}\n${workload}, container ${container}\n${network.reason}`,
    icon: 'debug-alt',
    spoken: `${name} in ${place}, connected by this window`,
    session: { key, target, place },
    copy: target,
    isOpen: true,
    children: () => connectionNodes(key, connection, (id) => source.isRevealed(id)),
  };
}

function foreignNode({ key, target, place, state }: ForeignSession, source: TreeSource): TreeNode {
  const name = shortName(target);
  const session = { key, target, place };
  if (state === 'interrupted') {
    return {
      id: key,
      kind: 'sessionInterrupted',
      label: name,
      description: withPlace('interrupted', place),
      tooltip: `The session for ${inPlace(target, place)} was interrupted. Restore undoes what it left.`,
      icon: 'warning',
      spoken: `${inPlace(name, place)}, interrupted`,
      session,
    };
  }
  const words = `${state} by another program`;
  return {
    id: key,
    kind: state === 'connected' ? 'sessionForeign' : 'sessionBusy',
    label: name,
    description: withPlace(words, place),
    tooltip: `${inPlace(target, place)}: ${words}`,
    icon: 'terminal',
    spoken: `${inPlace(name, place)}, ${words}`,
    session,
    ...(state === 'connected' && { children: () => foreignChildren(key, source) }),
  };
}

async function foreignChildren(key: string, source: TreeSource): Promise<readonly TreeNode[]> {
  const connection = await source.standing(key);
  if (connection === undefined) return [note(`${key}/gone`, 'It does not stand any more.')];
  return connectionNodes(key, connection, (id) => source.isRevealed(id));
}

function withPlace(words: string, place: string): string {
  return place === '' ? words : `${words}, ${place}`;
}
