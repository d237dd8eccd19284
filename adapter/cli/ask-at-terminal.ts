/** The daemon's questions, asked at this command's terminal. */
import type { Ask } from '../session/ask.ts';
import { askConsent } from './consent.ts';
import { choosePort } from './port-choice.ts';

export const askAtTerminal: Ask = {
  consent: (text, signal) => askConsent(text, signal),
  port: (question, signal) => choosePort(question, signal),
};
