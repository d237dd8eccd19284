import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkProcessConfig } from '../environment/process-config/check.ts';
import { evaluateProcessConfig } from '../environment/process-config/evaluate.ts';
import { describeEntries, type ExplainedEntry, explain, type Results } from '../environment/process-config/explain.ts';
import type { Fault } from '../environment/process-config/model.ts';
import {
  findProcessConfig,
  type ProcessConfig,
  processConfigName,
  readProcessConfigText,
} from '../environment/process-config/process-config.ts';
import { Problem } from '../problem.ts';
import { contextOf, programVariables } from '../session/client/program-environment.ts';
import { sessionRequest } from '../session/client/session-request.ts';
import { environmentSource, masked } from './env.ts';
import { addTargetOptions, targetConfiguration } from './target-options.ts';
import { showLine } from './terminal.ts';

/** That of bad input, and of what cannot be worked out. */
const badInput = 2;
const unresolved = 4;

interface ConfigFlags {
  readonly explain?: boolean;
  readonly format: 'text' | 'json';
  readonly target?: string;
  readonly showSecrets?: boolean;
}

/** `config [FILE]`: whether a KubernetesLocalProcessConfig.yaml is right, and what it means. Changes nothing. */
export function configCommand(): Command {
  return addTargetOptions(
    new Command('config').description(`check ${processConfigName}; with --explain, say what each entry of it means`),
  )
    .argument('[file]', `default: ${processConfigName} of this folder`)
    .option('--explain', 'entry by entry; with --target also what its variables become there')
    .addOption(new Option('--format <format>', 'how it is told').choices(['text', 'json']).default('text'))
    .option('--show-secrets', 'show secret values too')
    .action(async (named: string | undefined, flags: ConfigFlags) => {
      const { explain: wanted = false, format, showSecrets = false, ...ofTheTarget } = flags;
      const { target } = ofTheTarget;
      const file = fileOf(named);
      const { config, faults } = checkProcessConfig(readProcessConfigText(file), file);
      const results =
        config && wanted && target !== undefined
          ? await resultsOf(config, { ...ofTheTarget, processConfig: file })
          : undefined;
      const shown = results && !showSecrets ? { ...results, final: masked(results.final) } : results;
      const entries = config && wanted ? explain(config, shown) : [];
      const problems = results?.evaluation.problems ?? [];
      const report = { file, faults, entries, problems };
      process.stdout.write(format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : describeReport(report));
      if (wanted && config && target === undefined && format === 'text') {
        showLine('Add --target to see what the variables become.');
      }
      process.exitCode = faults.length > 0 ? badInput : problems.length > 0 ? unresolved : 0;
    });
}

/** The report as text: everything that is wrong, or every entry. */
export function describeReport(report: {
  readonly file: string;
  readonly faults: readonly Fault[];
  readonly entries: readonly ExplainedEntry[];
  readonly problems: readonly string[];
}): string {
  const { file, faults, entries, problems } = report;
  if (faults.length > 0) {
    return faults.map(({ line, column, what, remedy }) => `${file}:${line}:${column}: ${what} ${remedy}\n`).join('');
  }
  const told = entries.filter(({ problem }) => problem !== undefined).length;
  const lines = [
    `${file} is valid.`,
    ...describeEntries(entries),
    // Those of features belong to no variable.
    ...(told < problems.length ? problems.filter((text) => !entries.some(({ problem }) => problem === text)) : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function fileOf(named: string | undefined): string {
  const file = named ?? findProcessConfig(['.']);
  if (file !== undefined) return resolve(file);
  throw new Problem({
    code: 'bad-arguments',
    what: `There is no ${processConfigName} in ${process.cwd()}.`,
    why: 'It is looked for where the command is run.',
    remedy: 'Name the file: kubernetes-local config FILE --explain.',
  });
}

/** What the variables become in the session of the target, or in its pod if none stands. */
async function resultsOf(config: ProcessConfig, flags: Parameters<typeof targetConfiguration>[0]): Promise<Results> {
  const request = sessionRequest(targetConfiguration(flags), false);
  const source = await environmentSource(request, showLine, new AbortController().signal);
  const { variables } = programVariables(source, { ...request.choice, onUnresolved: 'leave-out' });
  return { evaluation: evaluateProcessConfig(config, contextOf(source)), final: variables };
}
