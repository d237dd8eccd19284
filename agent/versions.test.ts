import { expect, test } from 'vitest';
import { agentVersions, agreedVersion, daemonVersions, protocolVersion, rangeText } from './versions.ts';

test.each([
  ['the same', [3, 3], [3, 3], 3],
  ['an older agent', [2, 2], [2, 3], 2],
  ['a newer agent that knows the older version', [3, 5], [2, 3], 3],
  ['a newer daemon that knows the older version', [3, 3], [3, 9], 3],
  ['ranges that overlap in more than one', [2, 7], [3, 5], 5],
  ['a newer agent that does not', [4, 6], [2, 3], undefined],
  ['a newer daemon that does not', [2, 2], [3, 4], undefined],
] as const)(
  '%s: agent %j and daemon %j agree on %s',
  (_name, [agentLow, agentHigh], [daemonLow, daemonHigh], agreed) => {
    const [agent, daemon] = [
      { lowest: agentLow, highest: agentHigh },
      { lowest: daemonLow, highest: daemonHigh },
    ];
    expect(agreedVersion(agent, daemon)).toBe(agreed);
    expect(agreedVersion(daemon, agent)).toBe(agreed);
  },
);

test('both ends of this program speak its newest version', () => {
  expect(agreedVersion(agentVersions, daemonVersions)).toBe(protocolVersion);
});

test('a range is told as a person would', () => {
  expect(rangeText({ lowest: 2, highest: 3 })).toBe('versions 2 to 3');
  expect(rangeText({ lowest: 3, highest: 3 })).toBe('version 3');
});
