/** Whoever cancels a question in a window has seen what is wrong: the failure that follows needs no message of its own. */
import { Problem } from '../problem.ts';
import type { Ask } from './ask.ts';

export interface WindowQuestions {
  readonly ask: Ask;
  /** What to fail with: Problem cancelled if the user cancelled a question about a port, otherwise the error itself. */
  failure(error: unknown): unknown;
}

/** Asks by `ask`, and remembers whether the user cancelled. */
export function windowQuestions(ask: Ask): WindowQuestions {
  let isCancelled = false;
  return {
    ask: {
      consent: ask.consent,
      port: async (question, signal) => {
        const answer = await ask.port(question, signal);
        isCancelled = answer === 'cancel';
        return answer;
      },
    },
    failure: (error) => {
      if (!isCancelled || Problem.from(error).code !== 'port-in-use') return error;
      return Problem.cancelled(error);
    },
  };
}
