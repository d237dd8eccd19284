/** A Problem in the words of DAP. */
import type { Problem } from '../problem.ts';

/** Message and body of an error response; the client shows `format` to the user unless the user gave up himself. */
export function errorOf(problem: Problem): { success: false; message: string; body: { error: object } } {
  return {
    success: false,
    message: problem.code,
    body: {
      error: { id: problem.dapId, format: inOneText(problem), showUser: problem.code !== 'cancelled' },
    },
  };
}

/** What, why and remedy as one text. */
export function inOneText(problem: Problem): string {
  return problem.message;
}
