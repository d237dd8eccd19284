import { describe, expect, it } from 'vitest';
import { readOutput } from './program-output.ts';

describe('readOutput', () => {
  it('has the lines of a program that did what it should', () => {
    expect(readOutput('Undoing cart in shop\nUndone.\n', 0)).toEqual({
      lines: ['Undoing cart in shop', 'Undone.'],
      problem: undefined,
    });
  });

  it('finds the problem behind them, without the line that names the log', () => {
    const stderr =
      'Undoing cart …\r\nerror (cluster-unreachable): The API server does not answer.\r\n  connect ECONNREFUSED\r\n  Check the VPN.\r\n  Log: /x.log\r\n';
    const { lines, problem } = readOutput(stderr, 3);
    expect(lines).toEqual(['Undoing cart …']);
    expect(problem).toMatchObject({
      code: 'cluster-unreachable',
      what: 'The API server does not answer.',
      remedy: 'connect ECONNREFUSED Check the VPN.',
    });
  });

  it('is a defect where it says nothing that is known', () => {
    expect(readOutput('error (from-the-future): No.\n', 1).problem).toMatchObject({ code: 'defect', what: 'No.' });
    expect(readOutput('TypeError: x\n', 1).problem).toMatchObject({ code: 'defect', why: 'TypeError: x' });
    expect(readOutput('', null).problem?.what).toBe('kubernetes-local ended by a signal.');
  });
});
