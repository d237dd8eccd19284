/** How a debugger of VS Code starts the program inside the private network of a session (network mode "namespace"). */
import { Problem } from '../../problem.ts';
import type { Connection } from '../../session/protocol.ts';

type Configuration = Readonly<Record<string, unknown>>;
type Place = NonNullable<Connection['network']['place']>;

const javascript: ReadonlySet<string> = new Set(['node', 'pwa-node', 'node-terminal']);
const python: ReadonlySet<string> = new Set(['python', 'debugpy']);

/** `redirect`: VS Code's own debugger would not reach the program there, but our debug adapter does. */
export type Placed =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'redirect' };

/**
 * The configuration by which its debugger starts the program there. js-debug hears of the program by a socket file, so only
 * the program's own command changes; debugpy would have to be called back by the network, which ends at the namespace.
 * Problem namespace-unavailable for any other debugger.
 */
export function placed(configuration: Configuration, { prefix }: Place): Placed {
  const type = String(configuration.type);
  if (python.has(type)) return { kind: 'redirect' };
  if (!javascript.has(type)) throw impossible(type);
  const [program, ...words] = prefix;
  if (program === undefined) return { kind: 'configuration', configuration };
  const runtime = typeof configuration.runtimeExecutable === 'string' ? configuration.runtimeExecutable : 'node';
  const own = Array.isArray(configuration.runtimeArgs) ? configuration.runtimeArgs.map(String) : [];
  return {
    kind: 'configuration',
    configuration: { ...configuration, runtimeExecutable: program, runtimeArgs: [...words, runtime, ...own] },
  };
}

function impossible(type: string): Problem {
  return new Problem({
    code: 'namespace-unavailable',
    what: `VS Code's debugger "${type}" cannot start the program in a private network.`,
    why: 'The session has the network mode "namespace", and names such as http://prices/ work only inside it.',
    remedy: 'Set "network" of the launch configuration to "hosts" or "env".',
  });
}
