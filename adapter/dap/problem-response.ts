/** A Problem in the words of DAP, with the log that tells the rest. */
import type { Problem } from '../problem.ts';
import type { Raw } from './message.ts';

type ErrorAnswer = {
  readonly success: false;
  readonly message: string;
  readonly body: { readonly error: { readonly id: number; readonly format: string; readonly showUser: boolean } };
};

const ours = new WeakSet<object>();

/** Message and body of an error response; the client shows `format` to the user unless the user gave up himself. */
export function errorOf(problem: Problem): ErrorAnswer {
  const error = { id: problem.dapId, format: inOneText(problem), showUser: problem.code !== 'cancelled' };
  const answer = { success: false, message: problem.code, body: { error } } as const;
  if (error.showUser) ours.add(answer);
  return answer;
}

/** The answer, which names the log if it is an error that we show to the user; what a debugger answers stays as it is. */
export function withLog(answer: Raw, path: string | undefined): Raw {
  if (path === undefined || !isOurs(answer)) return { ...answer };
  const { error } = answer.body;
  return { ...answer, body: { error: { ...error, format: naming(error.format, path) } } };
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
