/** A port that the program needs and somebody else uses: who that is, and what the user wants to be done about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, startCommand } from './command-line.ts';

let world: World;
let before: Snapshot;
let holder: ChildProcess;
let port = 0;

beforeAll(async () => {
  world = await openWorld('e2e-ports');
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
  const program =
    "require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
  holder = spawn(process.execPath, ['-e', program, '--', '--password=sesame'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = holder.stdout ? await once(holder.stdout, 'data') : [];
  port = Number(line);
});
afterEach(async () => {
  holder.kill('SIGKILL');
  await world.asBefore(before);
});

/** A program of the workload that listens where it is told to, and answers with that. */
function run(policy: string): RunningCommand {
  const options = ['--target', 'cart', '--port', `http:${port}`, '--on-port-conflict', policy, ...placeOptions(world)];
  const program = [
    'const port = process.env.KUBERNETES_LOCAL_PORT_8080;',
    "require('node:http').createServer((_, r) => r.end('at ' + port)).listen(port, '127.0.0.1', () => console.error('up'))",
  ];
  return startCommand(world, ['run', ...options, '--', process.execPath, '-e', program.join('\n')]);
}

const isAlive = () => holder.exitCode === null && holder.signalCode === null;

it.each(['fail', 'ask'])(
  'is named with its process, which is left alone, if the user says "%s" and cannot be asked',
  async (policy) => {
    const { code, stderr } = await run(policy).ended;
    expect(code).toBe(5);
    expect(stderr).toContain(`Port ${port} of 127.0.0.1 is in use.`);
    expect(stderr).toContain(`node (pid ${holder.pid}, user root)`);
    expect(stderr).not.toContain('sesame');
    expect(isAlive()).toBe(true);
  },
);

it('is replaced by another one, which user and program are told', async () => {
  const command = run('other-port');
  await command.saw('up');
  const [, other] = /reach 127\.0\.0\.1:(\d+) instead/.exec(command.stderr()) ?? [];
  expect(Number(other)).not.toBe(port);
  expect(await world.shop.request('http://cart/')).toBe(`at ${other}`);
  command.kill('SIGTERM');
  await command.ended;
  expect(isAlive()).toBe(true);
});

it('is freed by the end of its process if the user says so beforehand, and then served', async () => {
  const command = run('stop');
  await command.saw('up');
  expect(command.stderr()).toMatch(new RegExp(`Stopped: node \\(pid ${holder.pid}, user root\\)`));
  expect(isAlive()).toBe(false);
  expect(await world.shop.request('http://cart/')).toBe(`at ${port}`);
  command.kill('SIGTERM');
  await command.ended;
});
