/** The daemon's questions, asked in the window of an IDE. */
import type { ConnectHooks } from '../dap/surroundings.ts';
import { portAnswerSchema } from '../network/ports/resolve-conflict.ts';
import type { Ask } from '../session/ask.ts';

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
    port: async ({ text, choices }, signal) => {
      if (ask === undefined) return 'impossible';
      const [title = text, ...more] = text.split('\n');
      const offered = choices.filter(({ answer }) => answer !== 'cancel');
      const answers = offered.map(({ answer, text }) => ({ id: answer, label: text.replace(/\.$/, '') }));
      const chosen = await ask({ about: 'port', title, text: more.join('\n'), choices: answers }, signal);
      return chosen === undefined ? 'cancel' : portAnswerSchema.catch('cancel').parse(chosen);
    },
  };
}
