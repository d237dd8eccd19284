import { once } from 'node:events';
import { Command } from 'commander';
import type { Connection } from '../session/protocol.ts';
import { sessionRequest } from '../session/session-request.ts';
import { addTargetOptions, targetConfiguration } from './target-options.ts';
import { showLine } from './terminal.ts';
import { withSession } from './terminal-session.ts';

/** `connect`: the session without a debugger, until Ctrl-C or the end of standard input's process. */
export function connectCommand(): Command {
  return addTargetOptions(
    new Command('connect').description('put this computer in place of a workload until Ctrl-C'),
  ).action(async (flags) => {
    const configuration = targetConfiguration(flags);
    const request = sessionRequest(configuration, false);
    await withSession(request, async (session, ended) => {
      const { connection } = session;
      showLine(`Connected: ${connection.workload}, container ${connection.container}.`);
      for (const { containerPort, localPort } of connection.ports) {
        showLine(`  requests for port ${containerPort} reach 127.0.0.1:${localPort}`);
      }
      for (const line of describeNames(connection)) showLine(line);
      showLine('Ready. Press Ctrl-C to undo everything.');
      if (!ended.aborted) await once(ended, 'abort');
    });
  });
}

/** Where each name leads, and what a program has to do to see it. */
function describeNames({ services, network }: Connection): readonly string[] {
  const places = services.map(({ name, names, address, ports }) => {
    const shown = ports.map(({ port, localPort }) => (port === localPort ? `${port}` : `${port} at ${localPort}`));
    return `  ${names[0] ?? name} is ${address}, port ${shown.join(', ')}`;
  });
  if (network.mode === 'env') return [...places, 'These names do not resolve here: use the addresses and ports above.'];
  if (network.place === undefined) return places;
  return [...places, `Programs see these names when started by: ${network.place.prefix.join(' ')} COMMAND`];
}
