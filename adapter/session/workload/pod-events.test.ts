import { expect, test } from 'vitest';
import { exampleRecord as record } from '../../cluster/example-record.ts';
import { podSchema } from '../../cluster/objects.ts';
import { Patience } from '../../cluster/patience.ts';
import { PodEvents } from './pod-events.ts';

function pod(name: string, conditions: readonly object[], session = 's1', deletionTimestamp?: string) {
  const annotations = { 'kubernetes-local/session': session };
  return podSchema.parse({
    metadata: { name, uid: `uid-of-${name}`, resourceVersion: '1', annotations, deletionTimestamp },
    spec: { containers: [{ name: 'cart' }] },
    status: { phase: 'Running', conditions },
  });
}
const ready = { type: 'Ready', status: 'True' };
const evicted = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
};
const unschedulable = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/1 nodes are available',
};

function eventsAt(clock: () => number) {
  const told: string[] = [];
  const events = new PodEvents(record, ({ level, text }) => told.push(`${level}: ${text}`), new Patience(clock));
  return { events, told };
}

test('an eviction is told once, of the agent’s pods only', () => {
  const { events, told } = eventsAt(() => 0);
  const pods = [pod('a', [evicted], 's1', '2026-11-23T00:00:00Z'), pod('foreign', [evicted], 's2')];
  events.look(pods);
  events.look(pods);
  expect(told).toEqual([
    expect.stringMatching(
      /^warning: Pod a is being ended by the cluster \(EvictionByEvictionAPI: Eviction API: evicting\)/,
    ),
  ]);
});

test('a pod that finds no node is told when it lasts, and so is its recovery', () => {
  let now = 0;
  const { events, told } = eventsAt(() => now);
  const waiting = [pod('a', [unschedulable])];
  events.look(waiting);
  expect(told).toEqual([]);
  now = 60_000;
  events.look(waiting);
  events.look(waiting);
  expect(told).toEqual([
    expect.stringMatching(/^warning: The agent does not run in all pods\. .*0\/1 nodes are available/),
  ]);
  events.look([pod('a', [ready])]);
  events.look([pod('a', [ready])]);
  expect(told.slice(1)).toEqual(['info: The agent runs in the one pod again.']);
});

test('pods that are well are not spoken of', () => {
  const { events, told } = eventsAt(() => 0);
  events.look([pod('a', [ready]), pod('b', [ready])]);
  expect(told).toEqual([]);
});
