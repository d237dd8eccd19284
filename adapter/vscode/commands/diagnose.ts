/** The command "Show Diagnostic Information": all that is known of a session, and the bundle for a bug report. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { markerOf } from '../debug/marker.ts';
import { debugType } from '../identifiers.ts';
import type { Services } from '../services.ts';
import type { KnownSessions } from '../view/known-sessions.ts';
import { shortName } from '../view/session-words.ts';
import { type About, placeOptions } from './about.ts';
import { withProgress } from './progress.ts';
import { QuickPickPrompter } from './quick-pick-prompter.ts';
import type { ReportDocuments } from './report-document.ts';
import { runProgram } from './run-program.ts';

const answerSchema = z.object({ format: z.literal('text'), text: z.string() });

/** Which session is meant: by its key, or by its target. */
export interface DiagnoseAsked extends About {
  readonly key?: string | undefined;
}

/** Shows it in a read-only editor. Problems as `kubernetes-local diagnose` ends with them. */
export async function diagnose(
  services: Services,
  sessions: KnownSessions,
  documents: ReportDocuments,
  asked: DiagnoseAsked,
): Promise<void> {
  const isNamed = asked.key !== undefined || asked.target !== undefined;
  const fromDebugger = isNamed ? undefined : await askDebugger();
  const options = fromDebugger === undefined ? await sessionOptions(sessions, asked) : [];
  const text = fromDebugger ?? (await askProgram(services, options));
  await documents.show('Diagnostic Information', text);
  void offerBundle(services, options);
}

/** What the debug adapter of the active session says; undefined if none of ours is active, or it is just ending. */
async function askDebugger(): Promise<string | undefined> {
  const session = vscode.debug.activeDebugSession;
  if (session?.type !== debugType) return undefined;
  const request = session.customRequest('kubernetesLocal/diagnostics', { format: 'text' });
  const body: unknown = await request.then(
    (answer: unknown) => answer,
    () => undefined,
  );
  return answerSchema.safeParse(body).data?.text;
}

async function askProgram(services: Services, options: readonly string[]): Promise<string> {
  const { stdout, problem } = await withProgress('Looking at the session', (_report, signal) =>
    runProgram(services, ['diagnose', '--all', ...options], { signal }),
  );
  if (problem !== undefined) throw problem;
  return stdout;
}

/** The session of the active debugger, the only one, or the one that the user chooses; none: what this computer is like. */
async function sessionOptions({ held, foreign }: KnownSessions, asked: DiagnoseAsked): Promise<readonly string[]> {
  if (asked.key !== undefined) return ['--session', asked.key];
  if (asked.target !== undefined) return placeOptions(asked);
  const marker = markerOf(vscode.debug.activeDebugSession?.configuration ?? {});
  const [ofDebugger] = marker?.step === 'ready' ? marker.keys : [];
  if (ofDebugger !== undefined) return ['--session', ofDebugger];
  const sessions = [...held, ...foreign];
  const [only] = sessions;
  if (only === undefined) return placeOptions(asked);
  if (sessions.length === 1) return ['--session', only.key];
  const key = await new QuickPickPrompter('Kubernetes Local: Show Diagnostic Information').choose(
    {
      title: 'Which session?',
      choices: sessions.map(({ target, place, key }) => ({
        label: shortName(target),
        description: place,
        value: key,
      })),
    },
    new AbortController().signal,
  );
  return ['--session', key];
}

async function offerBundle(services: Services, options: readonly string[]): Promise<void> {
  const save = 'Save Bundle…';
  const text = 'For a bug report, save a bundle: this, the logs and a check of this computer, with secrets masked.';
  if ((await vscode.window.showInformationMessage(text, save)) !== save) return;
  await saveBundle(services, options);
}

/** Writes the bundle where the user says. Problems as `kubernetes-local diagnose --bundle` ends with them. */
async function saveBundle(services: Services, options: readonly string[]): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  const target = await vscode.window.showSaveDialog({
    title: 'Save Bundle',
    defaultUri: vscode.Uri.file(join(homedir(), `kubernetes-local-${day}.tar.gz`)),
    // Only the last part of a name counts: VS Code would make "x.tar.gz.tar.gz" of "x.tar.gz" and "tar.gz".
    filters: { 'Compressed archive': ['gz'] },
  });
  if (target === undefined) return;
  const { problem } = await withProgress('Writing the bundle', (report, signal) =>
    runProgram(services, ['diagnose', ...options, '--bundle', target.fsPath], { signal, line: report }),
  );
  if (problem !== undefined) throw problem;
  const show = 'Show';
  const text = `The bundle is ${target.fsPath}.`;
  if ((await vscode.window.showInformationMessage(text, show)) === show) {
    await vscode.commands.executeCommand('revealFileInOS', target);
  }
}
