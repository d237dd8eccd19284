import { Command, Option } from 'commander';
import { releaseSession, sessionStatus } from '../session/client/client.ts';
import { knownSessions } from '../session/client/known-sessions.ts';
import { chosenSession } from '../session/client/session-choice.ts';
import type { Released, Status } from '../session/protocol.ts';
import { describeDuration, parseDuration } from './duration.ts';
import { errorFormatOption } from './error-format.ts';
import { addPlaceOptions } from './target-options.ts';
import { showLine } from './terminal.ts';
import { described } from './terminal-session.ts';

interface DisconnectFlags {
  readonly session?: string;
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly after?: number;
}

/** `disconnect`: ends what `connect --wait-ready` began. */
export function disconnectCommand(): Command {
  return addPlaceOptions(new Command('disconnect').description('end what "connect --wait-ready" began, and undo it'))
    .option('-s, --session <key>', 'the session, as "status --json" names it')
    .addOption(
      new Option(
        '--after <duration>',
        'only if nobody has used it again for so long, such as 5s; does not wait',
      ).argParser(parseDuration),
    )
    .addOption(errorFormatOption())
    .action(async ({ after, ...choice }: DisconnectFlags) => {
      const key = chosenSession(choice, await knownSessions());
      const status = key === undefined ? undefined : await sessionStatus(key);
      if (key === undefined || status === undefined) {
        showLine('There is no session to end.');
        return;
      }
      const released = await releaseSession(key, { hold: true, ...(after !== undefined && { after }) });
      showLine(describe(released, status, after ?? 0));
    });
}

function describe(released: Released | undefined, { clients }: Status, after: number): string {
  switch (released) {
    // One that went meanwhile has undone everything.
    case undefined:
    case 'ended':
      return described.undone;
    case 'later':
      return `It ends in ${describeDuration(after)}, unless somebody uses it again.`;
    case 'held':
    case 'in-use':
      return `It stands on until its other clients have left: ${clients.join(', ')}.`;
  }
}
