/** The daemon's questions, asked in the window of an IDE. */
import type { ConnectHooks, Question } from '../dap/surroundings.ts';
import { type PortQuestion, portAnswerSchema } from '../network/ports/resolve-conflict.ts';
import type { Ask } from '../session/questions/ask.ts';
import { type HeldQuestion, heldAnswerSchema } from '../session/questions/held-question.ts';

/** Questions through the debug adapter's client. Where it cannot ask, the system's own dialog has to be question enough. */
export function askThroughDap({ ask, notice }: Pick<ConnectHooks, 'ask' | 'notice'>): Ask {
  return {
    consent: async (text, signal) => {
      if (ask === undefined) {
        // What that dialog is for stands in the debug console above it.
        notice('warning', text);
        return 'granted';
      }
      const choices = [{ id: 'granted', label: 'Allow' }];
      const title = 'Allow administrator rights?';
      const answer = await ask({ about: 'privileges', title, text, choices }, signal);
      return answer === 'granted' ? 'granted' : 'refused';
    },
    port: async (question, signal) => {
      if (ask === undefined) return 'impossible';
      const chosen = await ask({ about: 'port', ...worded(question) }, signal);
      return chosen === undefined ? 'cancel' : portAnswerSchema.catch('cancel').parse(chosen);
    },
    held: async (question, signal) => {
      if (ask === undefined) return 'impossible';
      const chosen = await ask({ about: 'held', ...worded(question) }, signal);
      return chosen === undefined ? 'cancel' : heldAnswerSchema.catch('cancel').parse(chosen);
    },
  };
}

/** The first line is the title; dismissing the question is cancelling. */
function worded({ text, choices }: PortQuestion | HeldQuestion): Omit<Question, 'about'> {
  const [title = text, ...more] = text.split('\n');
  const offered = choices.filter(({ answer }) => answer !== 'cancel');
  const labels = offered.map(({ answer, text: choice }) => ({ id: answer, label: choice.replace(/\.$/, '') }));
  return { title, text: more.join('\n'), choices: labels };
}
