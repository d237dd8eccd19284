import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Examination } from '../network/doctor/examination.ts';
import { notPossible, ok } from '../network/doctor/finding.ts';
import { Problem } from '../problem.ts';
import { describeReport, exitCodeOf } from './doctor.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const main = join(import.meta.dirname, 'main.ts');
const hosts = join(folder, 'hosts');
writeFileSync(hosts, '127.0.0.1 localhost');
const mark = 'KUBERNETES_LOCAL_TEST_MARK';

function doctor(...args: string[]) {
  return spawnSync(process.execPath, [main, 'doctor', ...args], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      KUBERNETES_LOCAL_STATE: join(folder, 'state'),
      KUBERNETES_LOCAL_HOSTS_FILE: hosts,
      [mark]: folder,
    },
  });
}

/** Living processes that carry the mark which the doctor's descendants inherit. */
function marked(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${mark}=${folder}`);
    } catch {
      // Gone, or another user's.
      return false;
    }
  });
}

function stateOfTheComputer() {
  const { mtimeMs, ino, mode } = statSync(hosts);
  return {
    hosts: readFileSync(hosts, 'latin1'),
    attributes: { mtimeMs, ino, mode },
    systemHosts: readFileSync('/etc/hosts', 'latin1'),
    devices: readdirSync('/sys/class/net'),
    routes: readFileSync('/proc/net/route', 'latin1'),
    files: readdirSync(folder),
    processes: marked(),
  };
}

describe('doctor', () => {
  it('changes nothing on this computer', () => {
    const before = stateOfTheComputer();
    const { status, stdout, stderr } = doctor();
    expect(stateOfTheComputer()).toEqual(before);
    expect(before.processes).toEqual([]);
    expect(existsSync(join(folder, 'state'))).toBe(false);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const line of [
      'This computer',
      'Network modes',
      'mode hosts:',
      'mode namespace:',
      'mode env:',
      'mode auto:',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).toContain(hosts);
  });

  it.each([['--json'], ['--format', 'json']])('tells as JSON what it tells as text (%s)', (...asJson) => {
    const { status, stdout } = doctor(...asJson);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      node: process.version,
      findings: expect.arrayContaining([expect.objectContaining({ subject: 'hosts file', outcome: 'ok' })]),
      modes: [{ mode: 'hosts' }, { mode: 'namespace' }, { mode: 'env' }],
      auto: { subject: 'mode auto' },
    });
  });

  it('ends with the exit code of what is wrong with the cluster', () => {
    const { status, stdout } = doctor('--target', 'cart', '--kubeconfig', join(folder, 'none'));
    expect(status).toBe(3);
    expect(stdout).toMatch(/The cluster\n {2}not possible {2}cluster: .*none/);
  });

  it('says whether a debugger is there, and what installs it', () => {
    const { status, stdout } = doctor('--delegate', 'netcoredbg');
    expect(status).toBe(6);
    expect(stdout).toMatch(/The debugger\n {2}not possible {2}debugger netcoredbg: .*\n {16}→ /);
    const unknown = doctor('--delegate', 'debugpi');
    expect(unknown).toMatchObject({ status: 6, stdout: expect.stringContaining('Did you mean "debugpy"?') });
  });

  it('tries local ports also without a target', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { stdout } = doctor('--port', `8080:${port}`);
    expect(stdout).toMatch(new RegExp(`limited {6} +local ports: In use: ${port} by `));
    server.close();
  });

  it('refuses what it does not know', () => {
    expect(doctor('--port', 'x:y', '--target', 'cart').status).toBe(2);
    expect(doctor('--fix').status).toBe(2);
  });
});

describe('the exit code', () => {
  const works = { mode: 'env', finding: ok('mode env', 'x') } as const;
  const fails = { mode: 'hosts', finding: notPossible('mode hosts', 'x') } as const;
  const problem = new Problem({ code: 'target-missing', what: 'x', why: '', remedy: '' });

  it('is 0 if one mode works and the cluster lets a session stand', () => {
    expect(exitCodeOf({ workstation: { modes: [fails, works] } })).toBe(0);
    expect(exitCodeOf({ workstation: { modes: [fails, works] }, cluster: { problem: undefined } })).toBe(0);
  });

  it('is that of what stands in the way', () => {
    expect(exitCodeOf({ workstation: { modes: [fails] } })).toBe(5);
    expect(exitCodeOf({ workstation: { modes: [works] }, cluster: { problem } })).toBe(4);
    const missing = new Problem({ code: 'delegate-missing', what: 'x', why: '', remedy: '' });
    const debuggerFound = { problem: missing };
    expect(exitCodeOf({ workstation: { modes: [works] }, debugger: debuggerFound })).toBe(6);
  });
});

it('the report is no wider than the terminal', () => {
  const text = 'word '.repeat(60).trim();
  const examination: Examination = {
    findings: [notPossible('hosts file', text, text)],
    modes: [],
    auto: ok('mode auto', text),
  };
  const lines = describeReport({ workstation: examination }, 80).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => line.includes('→'))).toHaveLength(1);
});
