/** What goes into the bundle of a bug report: only texts that are fit for strangers. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type BundledFile, writeBundle } from '../diagnostics/bundle.ts';
import type { Diagnosis } from '../diagnostics/diagnosis.ts';
import type { Log } from '../diagnostics/log.ts';
import { PublicText } from '../diagnostics/public-text.ts';
import { sessionLogs } from '../session/client/diagnosis-client.ts';
import type { KnownSession } from '../session/client/known-sessions.ts';
import type { SessionChoice } from '../session/client/session-choice.ts';
import { type LogText, takeLogs } from '../session/diagnosis.ts';
import { withoutValues } from '../session/journal/described-acts.ts';
import { logsFolder, sessionFiles } from '../session/state-folder.ts';
import { describeDiagnosis } from './diagnosis-view.ts';
import { examine, reportData } from './doctor.ts';

/** Where no session is meant, this many logs of sessions. */
const mostLogs = 10;

export interface BundleQuestion {
  readonly diagnosis: Diagnosis;
  readonly key: string | undefined;
  readonly place: SessionChoice;
  readonly known: readonly KnownSession[];
  readonly log: Log;
  /** Default: a name with the time, in the working folder. */
  readonly path: string | undefined;
  /** A line for the user. */
  say(line: string): void;
}

/** Writes the bundle and tells before and after what is in it; returns its path. Problem bad-value if it cannot be written. */
export async function bundleDiagnosis(question: BundleQuestion, signal: AbortSignal): Promise<string> {
  const { diagnosis, say } = question;
  const name = `kubernetes-local-diagnosis-${diagnosis.taken.replace(/\D/g, '').slice(0, 14)}`;
  const path = resolve(question.path ?? `${name}.tar.gz`);
  say('Collecting what a bug report needs: the diagnosis, what the doctor says, logs, and journals without values.');
  say('Secrets are masked, the API server is shortened; no kubeconfig and no file of a volume is in it.');
  const files = await bundledFiles(question, signal);
  for (const file of files) say(`  ${file.name} (${Buffer.byteLength(file.text)} bytes)`);
  await writeBundle(path, name, files);
  say(`Written, readable by you alone: ${path}`);
  say('Look into it before you send it.');
  return path;
}

/** The files of the bundle. */
async function bundledFiles(
  { diagnosis, key, place, known, log }: Omit<BundleQuestion, 'path' | 'say'>,
  signal: AbortSignal,
): Promise<readonly BundledFile[]> {
  const { redactor } = log;
  const servers = diagnosis.place?.server === undefined ? [] : [diagnosis.place.server];
  const strangers = new PublicText({ redactor, servers });
  const { target, namespace, context, kubeconfig } = place;
  const question = { ...diagnosis.place, target, namespace, context, kubeconfig };
  const asked = Object.fromEntries(
    (['target', 'namespace', 'context', 'kubeconfig'] as const).flatMap((name) => {
      const value = question[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const [doctor, logs] = await Promise.all([examine(asked, signal), logTexts(key, log)]);
  const seen = strangers.data(diagnosis) as Diagnosis;
  return [
    { name: 'diagnosis.json', text: inJson(seen) },
    { name: 'diagnosis.txt', text: strangers.text(describeDiagnosis(seen, { width: 100, all: true })) },
    { name: 'doctor.json', text: inJson(strangers.data(reportData(doctor))) },
    ...logs.map(({ name, text }) => ({ name: `logs/${name}`, text: strangers.lines(text) })),
    ...known
      .filter(({ acts }) => acts.length > 0)
      .map(({ key: its, acts }) => ({
        name: `journals/${its}.jsonl`,
        text: withoutValues(acts)
          .map((act) => `${JSON.stringify(strangers.data(act))}\n`)
          .join(''),
      })),
  ];
}

/** The session's logs, which its daemon redacts as long as it lives, and those that belong to no session yet. */
async function logTexts(key: string | undefined, log: Log): Promise<readonly LogText[]> {
  const own =
    key === undefined ? [] : ((await sessionLogs(key).catch(() => undefined)) ?? takeLogs(sessionFiles(key), log));
  const folder = logsFolder();
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(folder, name));
  const isOfSession = (path: string) => basename(path).startsWith('session-');
  const common = all.filter((path) => !isOfSession(path));
  const age = (path: string) => -(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const newestFirst = all.filter(isOfSession).sort((a, b) => age(a) - age(b));
  const others = key === undefined ? newestFirst.slice(0, mostLogs) : [];
  return [...own, ...[...common, ...others].flatMap((path) => takeLogs({ log: path }, log))];
}

function inJson(data: unknown): string {
  return `${JSON.stringify(data, undefined, 2)}\n`;
}
