import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import type { Notice } from '../protocol.ts';
import { Outage } from './outage.ts';

const setUp = () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const notices: Notice[] = [];
  let isThere = true;
  const probe = () => {
    if (isThere) outage.works('lease');
  };
  const outage: Outage = new Outage({ notice: (notice) => notices.push(notice), log: silentLog, probe });
  const cutOff = () => {
    isThere = false;
  };
  return { notices, outage, cutOff, wait: () => vi.advanceTimersByTime(3_000) };
};

const problem = (code: 'cluster-unreachable' | 'credentials-refused' | 'tunnel-failed', what: string) =>
  new Problem({ code, what, why: '', remedy: '' });
const cut = problem('cluster-unreachable', 'Nothing listens there.');
const broken = problem('tunnel-failed', 'The tunnel broke.');

test('what is over at once is not told', () => {
  const { notices, outage, wait } = setUp();
  outage.failed('pod a', broken);
  expect(outage.status).toMatchObject({ why: 'The tunnel broke.' });
  expect(outage.works('pod a')).toBe(true);
  expect(outage.works('pod a')).toBe(false);
  wait();
  expect(notices).toEqual([]);
  expect(outage.status).toBeUndefined();
});

test('an outage is told once, with the cause, and its end once, when everything works', () => {
  const { notices, outage, wait } = setUp();
  outage.failed('pod a', broken);
  outage.failed('pod b', broken);
  outage.failed('pod a', cut);
  wait();
  outage.failed('lease', cut);
  outage.failed('pod a', cut);
  wait();
  expect(notices).toEqual([
    {
      level: 'warning',
      text: expect.stringMatching(
        /^The cluster cannot be reached since \d\d:\d\d:\d\d; trying again\. Nothing listens there\. New connections wait up to 10 s/,
      ),
    },
  ]);
  outage.works('pod a');
  outage.works('lease');
  expect(notices).toHaveLength(1);
  outage.works('pod b');
  expect(notices.slice(1)).toEqual([
    { level: 'info', text: expect.stringMatching(/^Everything is reachable again, after \d+ s\. /) },
  ]);
});

test('says when it is the credentials, and when it is one pod', () => {
  const { notices, outage, wait } = setUp();
  outage.failed('lease', problem('credentials-refused', 'Sign in.'));
  outage.failed('pod a', cut);
  wait();
  outage.works('lease');
  outage.works('pod a');
  outage.failed('pod a', broken);
  wait();
  expect(notices.map(({ text }) => text.replace(/ since .*$/, ''))).toEqual([
    'The cluster has not accepted your credentials',
    expect.stringContaining('reachable again'),
    'The agent in a cannot be reached',
  ]);
});

test('an API server that says nothing is the cluster, not its pods', () => {
  const { notices, outage, cutOff, wait } = setUp();
  cutOff();
  outage.failed('pod a', broken);
  wait();
  expect(notices).toMatchObject([{ text: expect.stringMatching(/^The cluster cannot be reached since /) }]);
});

test('a pod that is gone is no outage any more', () => {
  const { notices, outage, wait } = setUp();
  outage.failed('pod a', broken);
  outage.forget('pod a');
  wait();
  expect(notices).toEqual([]);
  outage.failed('pod b', broken);
  wait();
  outage.forget('pod b');
  expect(notices[1]).toMatchObject({ level: 'info', text: expect.stringContaining('are gone') });
});

test('at the end of the session nobody is told', () => {
  const { notices, outage, wait } = setUp();
  outage.failed('lease', cut);
  outage.end();
  wait();
  expect(notices).toEqual([]);
});
