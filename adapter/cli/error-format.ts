/** How the commands tell a problem: as text for people, or as the one line that MSBuild takes for an error of its own. */
import { Option } from 'commander';
import { catalogue, type Problem } from '../problem.ts';
import type { Notice } from '../session/protocol.ts';

/** `text`: several lines for a terminal. `msbuild`: one line in MSBuild's canonical format. */
const errorFormats = ['text', 'msbuild'] as const;
export type ErrorFormat = (typeof errorFormats)[number];

/** What stands before the colon: the tool that speaks. Without a colon of its own, or MSBuild would look for a file there. */
const origin = 'kubernetes-local';
/** The number of all warnings: notices have no codes. No problem has it: theirs begin with 2001. */
const warningNumber = 1000;

/** The option `--error-format`, for every command that a build calls. */
export function errorFormatOption(): Option {
  return new Option('--error-format <format>', 'how a problem is told; msbuild: as an error of a build')
    .choices(errorFormats)
    .default('text' satisfies ErrorFormat);
}

/**
 * A problem as a command tells it, without the end of the line. For MSBuild: `kubernetes-local : error KL4001: …`, where
 * the number is the problem's DAP id (docs/problems.md).
 * Source of the format: https://learn.microsoft.com/visualstudio/msbuild/msbuild-diagnostic-format-for-tasks
 */
export function formatProblem(problem: Problem, format: ErrorFormat): string {
  if (format === 'msbuild') return canonical('error', problem.dapId, problem.message);
  return [`error (${problem.code}): ${problem.what}`, problem.why, problem.remedy].filter(Boolean).join('\n  ');
}

/** A notice as a command tells it, without the end of the line. MSBuild shows a plain line as a message. */
export function formatNotice({ level, text }: Notice, format: ErrorFormat): string {
  if (level !== 'warning') return format === 'msbuild' ? inOneLine(text) : text;
  return format === 'msbuild' ? canonical('warning', warningNumber, text) : `warning: ${text}`;
}

/** What commander says of a command line that it does not understand, which is too early for the option to be known. */
export function formatUsageError(text: string, commandLine: readonly string[]): string {
  const said = text.replace(/^error: /, '');
  const forBuild = /(^|\0)--error-format[=\0]msbuild(\0|$)/.test(commandLine.join('\0'));
  if (!forBuild) return `error (bad-arguments): ${said}`;
  return `${canonical('error', catalogue['bad-arguments'][1], said)}\n`;
}

function canonical(category: 'error' | 'warning', number: number, text: string): string {
  return `${origin} : ${category} KL${number}: ${inOneLine(text)}`;
}

/** Each line would be a message of its own, and a control character has no place in a build's log. */
function inOneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
