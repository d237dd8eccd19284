import { once } from 'node:events';
import { Command, Option } from 'commander';
import { type EnvironmentFormat, environmentFormats, formatEnvironment } from '../environment/formats.ts';
import type { SessionClient } from '../session/client/client.ts';
import { programVariables } from '../session/client/program-environment.ts';
import type { SessionRequest } from '../session/client/session-request.ts';
import type { Connection } from '../session/protocol.ts';
import { describeDuration, parseDuration } from './duration.ts';
import { errorFormatOption } from './error-format.ts';
import { deliver } from './private-output.ts';
import { describePort } from './status-view.ts';
import { addHeldOptions, addTargetOptions, addTimingsOption, targetRequest } from './target-options.ts';
import { showLine, showNotice } from './terminal.ts';
import { withSession } from './terminal-session.ts';

interface ConnectFlags {
  readonly waitReady?: true;
  readonly for: number;
  readonly envOutput?: string;
  readonly format: EnvironmentFormat;
  readonly errorFormat?: string;
}

const usualHold = parseDuration('8h');

/** `connect`: the session without a debugger, until Ctrl-C; with --wait-ready it stands on when the command has ended. */
export function connectCommand(): Command {
  const command = new Command('connect').description('put this computer in place of a workload until Ctrl-C');
  return addTimingsOption(addHeldOptions(addTargetOptions(command)))
    .option('--wait-ready', 'end as soon as it is connected; it stands until "kubernetes-local disconnect"')
    .addOption(
      new Option('--for <duration>', 'with --wait-ready: the longest that it stands, such as 30m')
        .argParser(parseDuration)
        .default(usualHold, '8h'),
    )
    .option('--env-output <file>', "write the program's environment to this file, which only you can read")
    .addOption(new Option('--format <format>', 'how it is written').choices(environmentFormats).default('dotenv'))
    .addOption(errorFormatOption())
    .action(async ({ waitReady, for: longest, envOutput, format, errorFormat: _, ...flags }: ConnectFlags) => {
      const request = targetRequest(flags, false);
      showLine(`Connecting to ${request.request.target} …`);
      const connected = (session: SessionClient) => {
        for (const line of describe(session.connection)) showLine(line);
        if (envOutput !== undefined) writeEnvironment(session.connection, request, format, envOutput);
      };
      if (waitReady) {
        await withSession(request, async (session) => connected(session), { for: 'hold', ms: longest });
        showLine(
          `Ready. It stands for ${describeDuration(longest)}, or until: kubernetes-local disconnect --session ${request.key}`,
        );
        return;
      }
      await withSession(request, async (session, ended) => {
        connected(session);
        showLine('Ready. Press Ctrl-C to undo everything.');
        if (!ended.aborted) await once(ended, 'abort');
      });
    });
}

function writeEnvironment(
  connection: Connection,
  { choice }: SessionRequest,
  format: EnvironmentFormat,
  file: string,
): void {
  const { variables, notes } = programVariables(connection, choice);
  for (const text of notes) showNotice({ level: 'warning', text });
  deliver(formatEnvironment(variables, format), file);
}

/** What stands, and what a program has to do to see it. */
function describe(connection: Connection): readonly string[] {
  const { workload, container, ports, guestOf } = connection;
  return [
    `Connected: ${workload}, container ${container}.`,
    ...(guestOf === undefined ? [] : [`  shares the session of ${guestOf}: no requests come here`]),
    ...ports.map(({ containerPort, localPort }) => `  requests for port ${containerPort} reach 127.0.0.1:${localPort}`),
    ...describeNames(connection),
  ];
}

/** Where each name leads, and what a program has to do to see it. */
function describeNames({ services, network }: Connection): readonly string[] {
  const places = services.map(({ name, names, address, ports }) => {
    return `  ${names[0] ?? name} is ${address}, port ${ports.map(describePort).join(', ')}`;
  });
  if (network.mode === 'env') return [...places, 'These names do not resolve here: use the addresses and ports above.'];
  if (network.place === undefined) return places;
  return [...places, `Programs see these names when started by: ${network.place.prefix.join(' ')} COMMAND`];
}
