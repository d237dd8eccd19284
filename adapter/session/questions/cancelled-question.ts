/** Whoever cancels a question in a window has seen what is wrong: the failure that follows needs no message of its own. */
import { Problem, type ProblemCode } from '../../problem.ts';
import type { Ask } from './ask.ts';

export interface WindowQuestions {
  readonly ask: Ask;
  /** What to fail with: Problem cancelled if the user cancelled the question about it, otherwise the error itself. */
  failure(error: unknown): unknown;
}

/** Asks by `ask`, and remembers whether the user cancelled. */
export function windowQuestions(ask: Ask): WindowQuestions {
  let cancelled: ProblemCode | undefined;
  return {
    ask: {
      consent: ask.consent,
      port: async (question, signal) => {
        const answer = await ask.port(question, signal);
        cancelled = answer === 'cancel' ? 'port-in-use' : undefined;
        return answer;
      },
      held: async (question, signal) => {
        const answer = await ask.held(question, signal);
        cancelled = answer === 'cancel' ? 'target-held' : undefined;
        return answer;
      },
    },
    failure: (error) => {
      if (cancelled === undefined || Problem.from(error).code !== cancelled) return error;
      return Problem.cancelled(error);
    },
  };
}
