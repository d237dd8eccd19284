/** The samples are what lsof 4.95 (`lsof +c0 -nP -iTCP -sTCP:LISTEN -FpcuLtn`) and ps print, with macOS' program names. */
import { describe, expect, it } from 'vitest';
import type { RunCommand } from '../platform/run-command.ts';
import { DarwinProcessTable, parseLsof, parsePs } from './process-table-darwin.ts';

const lsof = `p459
cControlCenter
u501
Lanna
f9
tIPv4
n*:5000
f10
tIPv6
n*:5000
p71203
cGoogle\\x20Chrome\\x20Helper
u501
Lanna
f23
tIPv4
n127.0.0.1:9222
p812
cpostgres
u502
f7
tIPv6
n[::1]:5432
`;
const ps = ' 71203   501   501 S    Tue Nov 24 15:47:01 2026     /usr/local/bin/node server.js --token abc\n';
const signal = new AbortController().signal;

describe('lsof', () => {
  it('is read', () => {
    expect(parseLsof(lsof)).toEqual([
      { pid: 459, name: 'ControlCenter', user: 'anna', address: '0.0.0.0', port: 5000 },
      { pid: 459, name: 'ControlCenter', user: 'anna', address: '::', port: 5000 },
      { pid: 71203, name: 'Google Chrome Helper', user: 'anna', address: '127.0.0.1', port: 9222 },
      { pid: 812, name: 'postgres', user: '502', address: '::1', port: 5432 },
    ]);
    expect(parseLsof('')).toEqual([]);
  });

  it('is asked for one port, and finding nothing is no error', async () => {
    const asked: string[] = [];
    const run: RunCommand = async (command) => {
      asked.push(command.join(' '));
      return { code: 1, stdout: '', stderr: '' };
    };
    expect(await new DarwinProcessTable(run).listeners(8080, signal)).toEqual([]);
    expect(asked).toEqual(['lsof +c0 -nP -iTCP:8080 -sTCP:LISTEN -FpcuLtn']);
  });

  it('that is missing is an error', async () => {
    const run: RunCommand = async () => ({ code: undefined, stdout: '', stderr: 'spawn lsof ENOENT' });
    await expect(new DarwinProcessTable(run).listeners(8080, signal)).rejects.toThrow('ENOENT');
  });
});

describe('ps', () => {
  it('is read', () => {
    expect(parsePs(ps, 501)).toEqual({
      pid: 71203,
      start: 'Tue Nov 24 15:47:01 2026',
      own: true,
      commandLine: ['/usr/local/bin/node', 'server.js', '--token', 'abc'],
    });
    expect(parsePs(ps, 0)?.own).toBe(false);
    expect(parsePs(ps.replace('501   501', '501     0'), 501)?.own).toBe(false);
    expect(parsePs(ps.replace(' S ', ' Z '), 501)).toBeUndefined();
    expect(parsePs('', 501)).toBeUndefined();
  });

  it('tells parents', async () => {
    const table = new DarwinProcessTable(async () => ({
      code: 0,
      stdout: '    1     0\n  459     1\n71203   459\n',
      stderr: '',
    }));
    expect([...(await table.parents(signal))]).toEqual([
      [1, 0],
      [459, 1],
      [71203, 459],
    ]);
  });
});
