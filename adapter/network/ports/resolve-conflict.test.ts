import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import { conflictOn, findConflicts, isFree, type PortConflict } from './conflict.ts';
import type { ProcessTable } from './process-table.ts';
import { LinuxProcessTable } from './process-table-linux.ts';
import {
  type AskAboutPort,
  type PortAnswer,
  type PortQuestion,
  portQuestionSchema,
  resolveConflict,
} from './resolve-conflict.ts';

const signal = new AbortController().signal;

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-ports-'));
const file = join(folder, 'program.cjs');
writeFileSync(
  file,
  `if (process.argv.includes('--stubborn')) process.on('SIGTERM', () => {});
  const net = require('node:net');
  const first = net.createServer().listen(0, '127.0.0.1', () => {
    const second = net.createServer().listen(0, '127.0.0.2', () => console.log(first.address().port));
  });`,
);
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that listens on a port, and elsewhere; it carries a secret in its command line. */
async function program(
  ...args: string[]
): Promise<{ child: ChildProcess; port: number; pid: number } & AsyncDisposable> {
  const child = spawn(process.execPath, [file, '--password', 'hunter2', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const [printed] = await once(child.stdout, 'data');
  return {
    child,
    port: Number(String(printed)),
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function conflict(port: number): Promise<PortConflict> {
  const found = await conflictOn(port, signal);
  if (found === undefined) throw new Error(`nobody listens on ${port}`);
  return found;
}

/** Answers in this order; keeps the questions. */
function answering(...answers: PortAnswer[]): AskAboutPort & { questions: PortQuestion[] } {
  const questions: PortQuestion[] = [];
  const ask: AskAboutPort = async (question) => {
    // As it would arrive on the other side of a socket.
    questions.push(portQuestionSchema.parse(JSON.parse(JSON.stringify(question))));
    return answers.shift() ?? 'impossible';
  };
  return Object.assign(ask, { questions });
}

const nobody = answering();

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.catch((caught: unknown) => caught);
  if (error instanceof Problem) return error;
  throw new Error('no Problem was thrown', { cause: error });
}

describe('findConflicts', () => {
  it('names the process, where else it listens, and no secret', async () => {
    await using busy = await program();
    const [found, ...others] = await findConflicts(new Map([[8080, busy.port]]), signal);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      containerPort: 8080,
      port: busy.port,
      owner: { pid: busy.pid, user: userInfo().username, address: '127.0.0.1', own: true },
    });
    expect(found?.owner?.elsewhere).toEqual([expect.stringMatching(/^127\.0\.0\.2:\d+$/)]);
    expect(found?.owner?.commandLine).toContain('--password «redacted»');
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it('finds nothing on free ports', async () => {
    const port = await freed();
    expect(await findConflicts(new Map([[1, port]]), signal)).toEqual([]);
  });

  it('ends when it is told to', async () => {
    await expect(findConflicts(new Map([[1, 8080]]), AbortSignal.abort())).rejects.toThrow();
  });
});

describe('a conflict is resolved', () => {
  it('by another port, which is easy to remember', async () => {
    await using busy = await program();
    const ask = answering('other-port');
    const resolved = await resolveConflict({ ...(await conflict(busy.port)), containerPort: 80 }, 'ask', ask, {
      signal,
    });
    if (resolved.kind !== 'other-port') throw new Error(resolved.kind);
    expect(await isFree(resolved.port)).toBe(true);
    expect(resolved.text).toContain(`Requests for port 80 reach 127.0.0.1:${resolved.port} instead`);
    expect(ask.questions[0]?.choices.map((choice) => choice.answer)).toEqual(['other-port', 'stop', 'cancel']);
    expect(busy.child.exitCode).toBeNull();
  });

  it('by another port that nobody else wants', async () => {
    await using busy = await program();
    const found = await conflict(busy.port);
    const first = await resolveConflict(found, 'other-port', nobody, { signal });
    if (first.kind !== 'other-port') throw new Error(first.kind);
    const second = await resolveConflict(found, 'other-port', nobody, { signal, avoid: new Set([first.port]) });
    expect(second).toMatchObject({ kind: 'other-port', port: expect.any(Number) });
    expect(second).not.toMatchObject({ port: first.port });
  });

  it('by stopping the process, with what it was', async () => {
    await using busy = await program();
    const ask = answering('stop');
    const resolved = await resolveConflict(await conflict(busy.port), 'ask', ask, { signal });
    expect(resolved.kind).toBe('stopped');
    for (const word of [`pid ${busy.pid}`, `user ${userInfo().username}`, '127.0.0.2:', '--password «redacted»']) {
      expect(resolved.text).toContain(word);
    }
    // The question had named it too: consent is for this process and all that it does.
    const asked = ask.questions[0]?.choices.find((choice) => choice.answer === 'stop')?.text;
    for (const word of [`pid ${busy.pid}`, `user ${userInfo().username}`, '127.0.0.2:']) expect(asked).toContain(word);
    expect(busy.child.signalCode ?? (await once(busy.child, 'exit'))[1]).toBe('SIGTERM');
    expect(await isFree(busy.port)).toBe(true);
  });

  it('by force only after a second consent', async () => {
    await using busy = await program('--stubborn');
    const found = await conflict(busy.port);
    const refused = answering('stop', 'cancel');
    const problem = await problemOf(resolveConflict(found, 'ask', refused, { signal, patience: 200 }));
    expect(problem).toMatchObject({ code: 'port-in-use', why: expect.stringContaining('still runs') });
    expect(refused.questions[1]?.text).toContain(`pid ${busy.pid}`);
    expect(busy.child.signalCode).toBeNull();
    // "stop" is not consent to force.
    await problemOf(resolveConflict(found, 'ask', answering('stop', 'stop'), { signal, patience: 200 }));
    await problemOf(resolveConflict(found, 'stop', nobody, { signal, patience: 200 }));
    expect(busy.child.signalCode).toBeNull();
    const resolved = await resolveConflict(found, 'stop', answering('force'), { signal, patience: 200 });
    expect(resolved.text).toContain('Ended by force');
    expect(busy.child.signalCode ?? (await once(busy.child, 'exit'))[1]).toBe('SIGKILL');
  });
});

describe('nothing is done', () => {
  it.each<[string, 'ask' | 'fail', PortAnswer]>([
    ['You cancelled', 'ask', 'cancel'],
    ['There is no terminal to ask you at', 'ask', 'impossible'],
    ['You cancelled', 'ask', 'force'],
    ['It is used by', 'fail', 'stop'],
  ])('%s (%s, %s)', async (why, policy, answer) => {
    await using busy = await program();
    const problem = await problemOf(resolveConflict(await conflict(busy.port), policy, answering(answer), { signal }));
    expect(problem.code).toBe('port-in-use');
    expect(problem.why).toContain(why);
    expect(problem.why).toContain(`pid ${busy.pid}`);
    expect(busy.child.signalCode).toBeNull();
  });

  it('to this process', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const found = await conflict((server.address() as AddressInfo).port);
    const ask = answering('stop');
    const problem = await problemOf(resolveConflict(found, 'ask', ask, { signal }));
    expect(problem.why).toContain('You cancelled');
    expect(ask.questions[0]?.choices.map((choice) => choice.answer)).toEqual(['other-port', 'cancel']);
    expect(ask.questions[0]?.text).toContain('a process of kubernetes-local, or one that started it');
    server.close();
  });

  it('to one that has a client among its descendants', async () => {
    await using busy = await program();
    const parents = async () => new Map([[4_000_001, busy.pid]]);
    const table: ProcessTable = Object.assign(new LinuxProcessTable(), { parents });
    const options = { signal, table, protect: [4_000_001] };
    const problem = await problemOf(resolveConflict(await conflict(busy.port), 'stop', nobody, options));
    expect(problem.why).toContain('one that started it');
    expect(busy.child.signalCode).toBeNull();
  });

  it('to the first process, another user’s, or one that cannot be seen', async () => {
    await using busy = await program();
    const found = await conflict(busy.port);
    if (found.owner === undefined) throw new Error('no owner');
    const variants = [
      [{ ...found.owner, pid: 1 }, 'first process'],
      [{ ...found.owner, own: false, user: 'mallory' }, 'It belongs to user mallory, not to you.'],
      [{ ...found.owner, pid: 0, start: '' }, 'cannot be seen'],
      [undefined, 'cannot be seen'],
    ] as const;
    for (const [owner, why] of variants) {
      const other: PortConflict = { port: found.port, ...(owner && { owner }) };
      expect((await problemOf(resolveConflict(other, 'stop', nobody, { signal }))).why).toContain(why);
    }
    expect(busy.child.signalCode).toBeNull();
  });

  it('to a later process with the same pid', async () => {
    await using busy = await program();
    const found = await conflict(busy.port);
    if (found.owner === undefined) throw new Error('no owner');
    const earlier: PortConflict = { ...found, owner: { ...found.owner, start: '1' } };
    const problem = await problemOf(resolveConflict(earlier, 'stop', nobody, { signal }));
    expect(problem.code).toBe('port-in-use');
    expect(busy.child.signalCode).toBeNull();
  });

  it('once the session is cancelled while the question stands', async () => {
    await using busy = await program();
    const ended = new AbortController();
    const ask: AskAboutPort = async () => {
      ended.abort(new Error('ended'));
      return 'stop';
    };
    const resolving = resolveConflict(await conflict(busy.port), 'ask', ask, { signal: ended.signal });
    await expect(resolving).rejects.toThrow('ended');
    expect(busy.child.signalCode).toBeNull();
  });
});

async function freed(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
