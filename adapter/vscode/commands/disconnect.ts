/** The command "Disconnect": this window leaves a session, and it is undone. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';
import type { Ending } from '../../session/protocol.ts';
import type { Services } from '../services.ts';
import { inPlace, shortName } from '../view/session-words.ts';
import type { NodeSession } from '../view/tree-node.ts';
import type { WindowSessions } from '../view/window-sessions.ts';
import { withProgress } from './progress.ts';
import { QuickPickPrompter } from './quick-pick-prompter.ts';
import { runProgram } from './run-program.ts';

const described: Readonly<Record<Ending, string>> = {
  undone: 'Everything is as it was before.',
  finishing: 'The undo goes on by itself.',
  kept: 'It stands on for its other clients.',
};

/** Leaves the session that is named, the only one, or the one that the user chooses. */
export async function disconnect(services: Services, sessions: WindowSessions, named?: NodeSession): Promise<void> {
  const chosen = named === undefined ? await choose(sessions) : [named];
  if (chosen.length === 0) {
    void vscode.window.showInformationMessage('Nothing is connected.');
    return;
  }
  for (const session of chosen) await leave(services, sessions, session);
}

async function choose({ held, foreign }: WindowSessions): Promise<readonly NodeSession[]> {
  const standing = foreign.filter(({ state }) => state === 'connected');
  const sessions: readonly NodeSession[] = held.length > 0 ? held : standing;
  if (sessions.length < 2) return sessions;
  const prompter = new QuickPickPrompter('Kubernetes Local: Disconnect');
  return prompter.choose(
    {
      title: 'Which session is to end?',
      choices: [
        ...sessions.map((session) => ({
          label: shortName(session.target),
          description: session.place,
          value: [session],
        })),
        { label: 'All of them', value: [...sessions] },
      ],
    },
    new AbortController().signal,
  );
}

async function leave(services: Services, sessions: WindowSessions, { key, target, place }: NodeSession): Promise<void> {
  const { connections } = services;
  const name = shortName(target);
  const debugging = sessions.debugging(key);
  if (debugging.length > 0) {
    // They connect by themselves, and undo when they end.
    for (const session of debugging) await vscode.debug.stopDebugging(session);
    return;
  }
  if (connections.held.some((held) => held.key === key)) {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: `Kubernetes Local: Disconnecting ${name}`,
    };
    const ending = await vscode.window.withProgress(options, async () => {
      // A program that is debugged ends with the connection that it was started for.
      const stopping = sessions.around(key).map((session) => vscode.debug.stopDebugging(session));
      const [left] = await Promise.all([connections.disconnect(key), ...stopping]);
      return left;
    });
    vscode.window.setStatusBarMessage(`${name}: ${described[ending]}`, 10_000);
    return;
  }
  const end = 'Disconnect';
  const question = `${inPlace(target, place)} was connected by another program.`;
  const detail = 'It ends only if no program uses it any more.';
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, end)) !== end)
    throw Problem.cancelled();
  const { lines, problem } = await withProgress(`Disconnecting ${name}`, (report, signal) =>
    runProgram(services, ['disconnect', '--session', key], { signal, line: report }),
  );
  await connections.refresh();
  if (problem !== undefined) throw problem;
  void vscode.window.showInformationMessage(lines.at(-1) ?? described.undone);
}
