import { once } from 'node:events';
import { Command } from 'commander';
import { sessionRequest } from './session-request.ts';
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
      for (const service of connection.services) {
        showLine(`  ${service.names[0] ?? service.name} is ${service.address}, port ${service.ports.join(', ')}`);
      }
      showLine('Ready. Press Ctrl-C to undo everything.');
      if (!ended.aborted) await once(ended, 'abort');
    });
  });
}
