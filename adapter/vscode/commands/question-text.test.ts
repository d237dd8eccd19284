import { describe, expect, it } from 'vitest';
import { consentText } from '../../network/helper/consent.ts';
import { consentDialog, dapDialog, dapQuestion, heldDialog, portDialog } from './question-text.ts';

describe('the daemon’s questions as dialogs', () => {
  it('ask for consent with what it is for', () => {
    const { message, detail, buttons } = consentDialog(consentText('/etc/hosts', 'linux'));
    expect(message).toMatch(/^kubernetes-local wants to start a helper with administrator rights/);
    expect(detail).toContain('/etc/hosts');
    expect(buttons).toEqual([{ title: 'Allow', answer: 'granted' }]);
  });

  it('ask about a port with short buttons, and the whole answers beneath the question', () => {
    const dialog = portDialog({
      text: 'Port 8080 is in use by python3 (pid 77, user anna).\nIts command line: python3 -m http.server',
      choices: [
        { answer: 'other-port', text: 'Use port 18080 instead; your program has to listen there.' },
        { answer: 'stop', text: 'Stop python3 (pid 77, user anna).' },
        { answer: 'cancel', text: 'Cancel.' },
      ],
    });
    expect(dialog).toEqual({
      message: 'Port 8080 is in use by python3 (pid 77, user anna).',
      detail: 'Its command line: python3 -m http.server\nUse port 18080 instead; your program has to listen there.',
      buttons: [
        { title: 'Use port 18080 instead', answer: 'other-port' },
        { title: 'Stop python3 (pid 77, user anna)', answer: 'stop' },
      ],
    });
  });

  it('ask about a target that somebody else holds', () => {
    const dialog = heldDialog({
      text: 'deployment/cart is replaced by anna on laptop since 14:02.',
      choices: [
        { answer: 'wait', text: 'Wait until it is free.' },
        { answer: 'take-over', text: 'Take it over; they are told, and their session is undone.' },
        { answer: 'cancel', text: 'Cancel.' },
      ],
    });
    expect(dialog).toEqual({
      message: 'deployment/cart is replaced by anna on laptop since 14:02.',
      detail: 'Take it over; they are told, and their session is undone.',
      buttons: [
        { title: 'Wait until it is free', answer: 'wait' },
        { title: 'Take it over', answer: 'take-over' },
      ],
    });
    const body = { id: 1, about: 'held', title: 'Held.', text: '', choices: [{ id: 'share', label: 'Share it' }] };
    expect(dapQuestion(body)).toEqual(body);
  });

  it('come through a debug adapter too', () => {
    const question = dapQuestion({
      id: 3,
      about: 'privileges',
      title: 'Allow it?',
      text: 'What for.',
      choices: [
        { id: 'granted', label: 'Allow' },
        { id: 'refused', label: 'Do not allow' },
      ],
    });
    if (question === undefined) throw new Error('the question was not understood');
    expect(dapDialog(question)).toEqual({
      message: 'Allow it?',
      detail: 'What for.',
      buttons: [{ title: 'Allow', answer: 'granted' }],
    });
    const port = dapDialog({
      ...question,
      about: 'port',
      choices: [{ id: 'other-port', label: 'Use port 18080 instead; your program has to listen there' }],
    });
    expect(port).toMatchObject({
      detail: 'What for.\nUse port 18080 instead; your program has to listen there',
      buttons: [{ title: 'Use port 18080 instead', answer: 'other-port' }],
    });
    expect(dapQuestion({ id: 3, about: 'weather' })).toBeUndefined();
  });
});
