/** A Problem in the words of DAP, with the log that tells the rest. */
import type { Problem } from '../problem.ts';
import type { Raw } from './message.ts';

type ErrorAnswer = {
  readonly success: false;
  /** The code of the problem. */
  readonly message: Problem['code'];
  readonly body: { readonly error: { readonly id: number; readonly format: string; readonly showUser: boolean } };
};

/** What to do about a problem, as `url` and `urlLabel` of an error in DAP; undefined if there is nothing to offer. */
export type RemedyOf = (code: Problem['code']) => { readonly url: string; readonly urlLabel: string } | undefined;

const ours = new WeakSet<object>();

/** Message and body of an error response; the client shows `format` to the user unless the user gave up himself. */
export function errorOf(problem: Problem): ErrorAnswer {
  const error = { id: problem.dapId, format: inOneText(problem), showUser: problem.code !== 'cancelled' };
  const answer = { success: false, message: problem.code, body: { error } } as const;
  if (error.showUser) ours.add(answer);
  return answer;
}

/**
 * The answer, which names the log and offers a remedy if it is an error that we show to the user; what a debugger answers
 * stays as it is.
 */
export function withHelp(answer: Raw, path: string | undefined, remedy: RemedyOf): Raw {
  if (!isOurs(answer)) return { ...answer };
  const { error } = answer.body;
  const format = path === undefined ? error.format : naming(error.format, path);
  return { ...answer, body: { error: { ...error, format, ...remedy(answer.message) } } };
}

/** What, why and remedy as one text, and the log. */
export function inOneText(problem: Problem, path?: string): string {
  return path === undefined ? problem.message : naming(problem.message, path);
}

function naming(text: string, path: string): string {
  return `${text} Log: ${path}`;
}

function isOurs(answer: Raw): answer is ErrorAnswer {
  return ours.has(answer);
}
