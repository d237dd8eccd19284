import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import type { Ending } from '../session/protocol.ts';
import { seeUndo } from './lost-session.ts';

const lost = new Problem({ code: 'workload-changed', what: 'It was deleted.', why: '', remedy: '' });

/** A session whose daemon answers so; `asked` counts. */
function session(answer: () => Promise<Ending>) {
  const stub = {
    asked: 0,
    leave: () => {
      stub.asked += 1;
      return answer();
    },
  };
  return stub;
}

test('an undo that is incomplete is what the command ends with', async () => {
  const incomplete = new Problem({ code: 'undo-incomplete', what: 'Something is left.', why: '', remedy: '' });
  await expect(
    seeUndo(
      session(() => Promise.reject(incomplete)),
      lost,
      1,
    ),
  ).rejects.toBe(incomplete);
});

test('a daemon that has finished and gone has nothing more to say', async () => {
  const one = session(() => Promise.reject(new Error('Connection is closed.')));
  await seeUndo(one, lost, 1);
  expect(one.asked).toBe(1);
});

test('a dead daemon is not asked', async () => {
  const dead = new Problem({ code: 'daemon-failed', what: 'It ended.', why: '', remedy: '' });
  const one = session(async () => 'undone');
  await seeUndo(one, dead, 1);
  expect(one.asked).toBe(0);
});
