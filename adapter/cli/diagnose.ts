import { Command, Option } from 'commander';
import type { Log } from '../diagnostics/log.ts';
import { Redactor } from '../diagnostics/redactor.ts';
import { Problem } from '../problem.ts';
import { type KnownSession, knownSessions } from '../session/client/known-sessions.ts';
import { chosenSession, type SessionChoice } from '../session/client/session-choice.ts';
import { bundleDiagnosis } from './diagnosis-bundle.ts';
import { diagnosisOf } from './diagnosis-report.ts';
import { describeDiagnosis } from './diagnosis-view.ts';
import { addPlaceOptions } from './target-options.ts';
import { showLine } from './terminal.ts';

interface DiagnoseFlags extends SessionChoice {
  readonly format: 'text' | 'json';
  readonly all?: boolean;
  readonly bundle?: string | true;
}

/** `diagnose`: all that is known of a session, or of this computer where there is none. Changes nothing. */
export function diagnoseCommand(): Command {
  const command = new Command('diagnose')
    .description('show what a session is, sees and has changed; secrets are masked; changes nothing')
    .addOption(new Option('--format <format>', 'how it is shown').choices(['text', 'json']).default('text'))
    .option('--all', 'every name, however many there are')
    .option('--bundle [file]', 'write it, logs and what the doctor says into one .tar.gz for a bug report')
    .option('--session <key>', 'the session, as "status --json" names it (default: the only one that stands)');
  return addPlaceOptions(command).action(async (flags: DiagnoseFlags) => {
    const { signal } = new AbortController();
    // Its redactor learns the credentials of the kubeconfig.
    const log: Log = { redactor: new Redactor(), write: () => {} };
    const known = await knownSessions();
    const { key, problem } = choose(flags, known, log);
    const diagnosis = await diagnosisOf({ key, place: flags, known, problem, log }, signal);
    if (flags.bundle !== undefined) {
      const path = flags.bundle === true ? undefined : flags.bundle;
      await bundleDiagnosis({ diagnosis, key, place: flags, known, log, path, say: showLine }, signal);
      return;
    }
    const width = process.stdout.columns || 80;
    const { format, all = false } = flags;
    process.stdout.write(
      format === 'json' ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : describeDiagnosis(diagnosis, { width, all }),
    );
  });
}

/** A kubeconfig that cannot be used is what the diagnosis is about; only what the user said of the session has to be right. */
function choose(choice: SessionChoice, known: readonly KnownSession[], log: Log) {
  try {
    return { key: chosenSession(choice, known, log), problem: undefined };
  } catch (error) {
    const problem = Problem.from(error);
    if (problem.code === 'bad-arguments' || problem.code === 'defect') throw error;
    return { key: undefined, problem };
  }
}
