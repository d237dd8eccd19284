/** What the menu of the status bar offers: what makes sense now, the likeliest first. */
import { commands } from '../identifiers.ts';
import type { KnownSessions } from '../view/known-sessions.ts';
import { inPlace, shortName } from '../view/session-words.ts';

export type MenuAction =
  | { readonly do: 'command'; readonly command: string; readonly argument?: unknown }
  | { readonly do: 'copyName'; readonly key: string }
  | { readonly do: 'openFile'; readonly path: string }
  | { readonly do: 'openLog' };

export interface MenuItem {
  readonly label: string;
  readonly description?: string;
  readonly action: MenuAction;
}

/** The items for what is known of the sessions. */
export function menuItems({ state, held, foreign }: KnownSessions): readonly MenuItem[] {
  const interrupted = foreign.filter((each) => each.state === 'interrupted');
  const standing = foreign.filter((each) => each.state === 'connected');
  const isFree = state.kind !== 'connecting' && state.kind !== 'undoing';
  const hasSessions = held.length + foreign.length > 0;
  const connect = [
    command('Configure', commands.configure, 'choose a Service and write its launch configuration'),
    command('Connect…', commands.connect, 'put this computer in place of a Service, without a debugger'),
  ];
  return [
    ...interrupted
      .slice(0, 1)
      .map(() =>
        command('Restore', commands.restore, interrupted.map(({ target, place }) => inPlace(target, place)).join(', ')),
      ),
    ...held.map((session) => sessionCommand('Disconnect', commands.disconnect, session)),
    ...(held.length === 0 && isFree ? connect : []),
    ...standing.map((session) => sessionCommand('Disconnect', commands.disconnect, session, 'of another program')),
    ...held
      .filter(({ connection }) => connection.services.length > 0)
      .map(({ key, target }) => ({
        label: `Copy Name of a Service for ${shortName(target)}…`,
        action: { do: 'copyName', key } as const,
      })),
    ...(hasSessions
      ? [command('Show Sessions', 'kubernetes-local.sessions.focus', 'names, ports, variables and files')]
      : []),
    ...(held.length > 0 ? connect : []),
    command('Show Diagnostic Information', commands.diagnose, hasSessions ? undefined : 'of this computer'),
    command('Check This Computer', commands.doctor, 'what will work here; changes nothing'),
    ...(interrupted.length === 0 ? [command('Restore', commands.restore, 'undo what interrupted sessions left')] : []),
    ...held.map(({ target, connection }) => ({
      label: `Open Log of ${shortName(target)}`,
      description: connection.log,
      action: { do: 'openFile', path: connection.log } as const,
    })),
    { label: 'Open Log', description: 'what this window does', action: { do: 'openLog' } },
  ];
}

function command(label: string, id: string, description?: string): MenuItem {
  return { label, action: { do: 'command', command: id }, ...(description !== undefined && { description }) };
}

function sessionCommand(
  label: string,
  id: string,
  session: { readonly key: string; readonly target: string; readonly place: string },
  more?: string,
): MenuItem {
  const { key, target, place } = session;
  return {
    label: `${label} ${shortName(target)}`,
    description: [place, more].filter(Boolean).join(', '),
    action: { do: 'command', command: id, argument: { session: { key, target, place } } },
  };
}
