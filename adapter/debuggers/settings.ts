/** The user's own way to start or reach a debug adapter: `debugAdapter` of the launch configuration. */
import type { DebugAdapterSettings, DelegateCommand, Transport } from './profile.ts';

/** How a command that does not say where its debug adapter listens is to be completed. */
type Usual = (command: readonly string[]) => Pick<DelegateCommand, 'argv' | 'transport'>;

/** Undefined if the user leaves it to us. `usual` is for a command without `port`, `readyPattern`, {port} and {socket}. */
export function commandOfUser(
  settings: DebugAdapterSettings | undefined,
  usual: Usual = overStdio,
): DelegateCommand | undefined {
  const { command, port, host = '127.0.0.1' } = settings ?? {};
  const origin = '"debugAdapter"';
  if (command === undefined) {
    if (port === undefined) return undefined;
    return { argv: [], origin, transport: { kind: 'running', endpoint: { host, port } } };
  }
  const transport = transportOf(command, settings ?? {});
  return transport === undefined ? { ...usual(command), origin } : { argv: command, origin, transport };
}

/** A debug adapter that talks over its standard streams. */
export function overStdio(argv: readonly string[]): Pick<DelegateCommand, 'argv' | 'transport'> {
  return { argv, transport: { kind: 'stdio' } };
}

function transportOf(
  command: readonly string[],
  { host = '127.0.0.1', port, readyPattern }: DebugAdapterSettings,
): Transport | undefined {
  if (readyPattern !== undefined) return { kind: 'server', ready: new RegExp(readyPattern) };
  if (port !== undefined) return { kind: 'port', host, port };
  if (command.some((word) => word.includes('{port}'))) return { kind: 'port', host };
  if (command.some((word) => word.includes('{socket}'))) return { kind: 'socket' };
  return undefined;
}
