import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addHeldOptions, addTargetOptions, targetConfiguration } from './target-options.ts';

type Flags = Parameters<typeof targetConfiguration>[0];

/** What the options of `connect` and `run` become. */
function parsed(...words: readonly string[]): Flags {
  const command = addHeldOptions(addTargetOptions(new Command('connect')))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(['--target', 'cart', ...words], { from: 'user' }).opts<Flags>();
}

describe('what is done about a held target', () => {
  it.each([
    [[], 'ask', undefined],
    [['--wait'], 'wait', true],
    [['--wait=10m'], 'wait', 600_000],
    [['--wait', '90s'], 'wait', 90_000],
    [['--share'], 'share', undefined],
    [['--force'], 'take-over', undefined],
  ] as const)('%j', (words, onHeld, wait) => {
    const flags = parsed(...words);
    expect(targetConfiguration(flags)).toMatchObject({ target: 'cart', onHeld });
    expect(flags.wait).toBe(wait);
  });

  it.each([
    [['--wait', '--share'], "option '--wait [duration]' cannot be used with option '--share'"],
    [['--force', '--wait'], "option '--wait [duration]' cannot be used with option '--force'"],
    [['--share', '--force'], "option '--share' cannot be used with option '--force'"],
    [['--wait=soon'], 'Write it as 90s, 30m or 8h.'],
  ] as const)('%j is refused', (words, why) => {
    expect(() => parsed(...words)).toThrow(why);
  });
});

describe('whether the program is told who calls', () => {
  it.each([
    [[], undefined],
    [['--proxy-protocol'], 'v2'],
    [['--proxy-protocol', 'v1'], 'v1'],
    [['--proxy-protocol=v2'], 'v2'],
  ] as const)('%j', (words, version) => {
    expect(targetConfiguration(parsed(...words)).proxyProtocol).toBe(version);
  });

  it('is refused in a version that there is not', () => {
    expect(() => parsed('--proxy-protocol=v3')).toThrow("argument 'v3' is invalid. Allowed choices are v1, v2");
  });
});
