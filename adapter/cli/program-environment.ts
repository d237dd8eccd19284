/** The environment variables that the user's program gets in addition to, or instead of, those of this computer. */
import { localEnvironment } from '../environment/local.ts';
import type { Connection } from '../session/protocol.ts';

/** What is to be set for the program of this connection. */
export function programEnvironment(connection: Connection): Readonly<Record<string, string>> {
  const ports = connection.ports.map(({ containerPort, localPort }) => [
    `KUBERNETES_LOCAL_PORT_${containerPort}`,
    String(localPort),
  ]);
  const own = { KUBERNETES_LOCAL_SESSION: connection.session, ...Object.fromEntries(ports) };
  return localEnvironment(connection.environment, process.env, own).environment;
}
