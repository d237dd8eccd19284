/** The daemon's questions, asked at this command's terminal. */
import type { Ask } from '../session/questions/ask.ts';
import { askConsent } from './consent.ts';
import { choose } from './terminal-choice.ts';

export const askAtTerminal: Ask = {
  consent: (text, signal) => askConsent(text, signal),
  port: (question, signal) => choose(question, signal),
  held: (question, signal) => choose(question, signal),
};
