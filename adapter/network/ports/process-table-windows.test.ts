/** The samples have the form of `netstat -ano` (English and German) and of what the script prints by ConvertTo-Json. */
import { describe, expect, it } from 'vitest';
import type { RunCommand } from '../platform/run-command.ts';
import { parseNetstat, WindowsProcessTable } from './process-table-windows.ts';

const netstat = `
Active Connections

  Proto  Local Address          Foreign Address        State           PID
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       1040
  TCP    127.0.0.1:8080         0.0.0.0:0              LISTENING       7312
  TCP    127.0.0.1:8080         127.0.0.1:50211        ESTABLISHED     7312
  TCP    192.168.1.20:50300     20.90.153.243:443      ESTABLISHED     9000
  TCP    [::]:8080              [::]:0                 LISTENING       7312
  TCP    [fe80::1%12]:139       [::]:0                 LISTENING       4
  UDP    0.0.0.0:5353           *:*                                    2212
  UDP    [::]:5353              *:*                                    2212
`.replaceAll('\n', '\r\n');
const german = '  TCP    127.0.0.1:8080         0.0.0.0:0              ABHÖREN         7312\r\n';
const one =
  '{"pid":7312,"parent":5000,"name":"node.exe","start":"638999900010000000","command":"\\"C:\\\\node.exe\\"  server.js","user":"Anna"}\r\n';
const signal = new AbortController().signal;

function tools(answers: Readonly<Record<string, string>>): { asked: string[]; run: RunCommand } {
  const asked: string[] = [];
  const run: RunCommand = async (command) => {
    asked.push(command.join(' '));
    return { code: 0, stdout: answers[command[0]] ?? '', stderr: '' };
  };
  return { asked, run };
}

describe('netstat', () => {
  it('is read', () => {
    expect(parseNetstat(netstat)).toEqual([
      { address: '0.0.0.0', port: 135, pid: 1040 },
      { address: '127.0.0.1', port: 8080, pid: 7312 },
      { address: '::', port: 8080, pid: 7312 },
      { address: 'fe80::1', port: 139, pid: 4 },
    ]);
  });

  it('is read in another language', () => {
    expect(parseNetstat(german)).toEqual([{ address: '127.0.0.1', port: 8080, pid: 7312 }]);
  });
});

describe('WindowsProcessTable', () => {
  it('knows whose a listener is, with one question for all', async () => {
    const { asked, run } = tools({ 'netstat.exe': netstat, 'powershell.exe': one });
    expect(await new WindowsProcessTable(run, 'anna').listeners(8080, signal)).toEqual([
      { address: '127.0.0.1', port: 8080, pid: 7312, name: 'node.exe', user: 'Anna' },
      { address: '::', port: 8080, pid: 7312, name: 'node.exe', user: 'Anna' },
    ]);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toContain('-Filter "ProcessId=7312"');
  });

  it('knows a process', async () => {
    const { run } = tools({ 'powershell.exe': one });
    expect(await new WindowsProcessTable(run, 'anna').facts(7312, signal)).toEqual({
      pid: 7312,
      start: '638999900010000000',
      own: true,
      commandLine: ['"C:\\node.exe"', 'server.js'],
    });
    expect((await new WindowsProcessTable(run, 'bob').facts(7312, signal))?.own).toBe(false);
    expect(await new WindowsProcessTable(tools({}).run, 'anna').facts(7312, signal)).toBeUndefined();
  });

  it('knows parents of many', async () => {
    const { asked, run } = tools({ 'powershell.exe': '[{"pid":4,"parent":0},{"pid":88,"parent":4,"user":null}]' });
    expect([...(await new WindowsProcessTable(run, 'anna').parents(signal))]).toEqual([
      [4, 0],
      [88, 4],
    ]);
    expect(asked[0]).not.toMatch(/GetOwner|CommandLine/);
  });

  it('ends by force only when told so', async () => {
    const { asked, run } = tools({});
    const table = new WindowsProcessTable(run, 'anna');
    await table.end(7312, 'gracefully', signal);
    await table.end(7312, 'by force', signal);
    expect(asked).toEqual(['taskkill.exe /PID 7312', 'taskkill.exe /PID 7312 /F']);
  });
});
