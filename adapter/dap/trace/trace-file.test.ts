import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Redactor } from '../../diagnostics/redactor.ts';
import { Problem } from '../../problem.ts';
import { begin, delegate } from '../fixtures/scene.ts';
import { readTrace } from './reading.ts';
import { TraceFile } from './trace-file.ts';

let folder: string;
let path: string;
const head = { version: '1.2.3', options: { delegate: 'fake' } };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trace-'));
  path = join(folder, 'trace.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(redactor = new Redactor()): TraceFile {
  const failed = (why: string) => {
    throw new Error(why);
  };
  return new TraceFile(path, head, { redactor, failed });
}

const event = { seq: 1, type: 'event', event: 'x' };

describe('a trace', () => {
  test('can be read by its user only, also if the file was there before', () => {
    writeFileSync(path, '', { mode: 0o644 });
    using _trace = open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('says what was started, and who said what in which session, as soon as it is said', () => {
    using trace = open();
    const [first, second] = [trace.session(), trace.session()];
    second.trace('from client', event);
    first.trace('to debugger', event);
    first.traceEnded('from debugger', 'It ended.');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        trace: 1,
        started: expect.stringMatching(/^\d{4}-.*Z$/),
        version: '1.2.3',
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        pid: process.pid,
        options: { delegate: 'fake' },
      },
      { time: expect.any(Number), pid: process.pid, session: 2, direction: 'from client', message: event },
      { time: expect.any(Number), pid: process.pid, session: 1, direction: 'to debugger', message: event },
      { time: expect.any(Number), pid: process.pid, session: 1, direction: 'from debugger', end: 'It ended.' },
    ]);
  });

  test('is added to what is there, on a line of its own', async () => {
    open()[Symbol.dispose]();
    appendFileSync(path, '{"time":1,"pi');
    open()[Symbol.dispose]();
    const kinds = [];
    for await (const { kind } of readTrace(path)) kinds.push(kind);
    expect(kinds).toEqual(['head', 'cut short', 'head']);
  });

  test.each([
    ['a folder', () => mkdirSync(path), /EISDIR/],
    ['a device', () => (path = '/dev/full'), /It is no file/],
    ['a file of something else', () => writeFileSync(path, 'print("hello")\n'), /It holds something else/],
    ['a file in no folder', () => (path = join(folder, 'none', 'x')), /ENOENT/],
  ])('cannot be %s', (_name, prepare, why) => {
    prepare();
    const error = thrownBy(open);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      code: 'trace-unusable',
      what: `The trace cannot be written to ${path}.`,
      exitCode: 2,
    });
    expect(error).toHaveProperty('why', expect.stringMatching(why));
  });

  test('leaves a file of something else as it is', () => {
    writeFileSync(path, 'print("hello")\n');
    chmodSync(path, 0o644);
    expect(open).toThrow('It holds something else.');
    expect(readFileSync(path, 'utf8')).toBe('print("hello")\n');
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  test('has ended when it is closed, and that disturbs no session', () => {
    const trace = open();
    const { trace: say } = trace.session();
    trace[Symbol.dispose]();
    say('from client', event);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('of a whole session', () => {
  const secrets = { ofUser: 'hunter2-of-the-user', ofPod: 'hunter3-of-the-pod' };

  test('holds no secret: not from the launch arguments, not from the pod, and not as the program prints it', async () => {
    const redactor = new Redactor();
    using trace = open(redactor);
    const { client, stage, code } = begin({ log: { redactor, write: () => {} }, ...trace.session() });
    await client.request('initialize', {});
    const launched = client.request('launch', { delegate: { ...delegate, env: { API_TOKEN: secrets.ofUser } } });
    await stage.asked.promise;
    // As cli/dap.ts does with variables that come from Secrets.
    redactor.add(secrets.ofPod);
    stage.connected.resolve({ environment: { DATABASE: secrets.ofPod }, summary: 'Connected.' });
    await launched;
    const printed = `${secrets.ofUser} and ${secrets.ofPod}`;
    await client.request('emit', { messages: [{ type: 'event', event: 'output', body: { output: printed } }] });
    const received = await client.waitForEvent('output', ({ output }: { output: string }) => output === printed);
    expect(received).toEqual({ output: printed });
    stage.undone.resolve('undone');
    await client.request('disconnect');
    await code;
    const written = readFileSync(path, 'utf8');
    expect(written).toContain('"API_TOKEN":"…"');
    expect(written).toContain('"DATABASE":"…"');
    expect(written).toContain('«redacted» and «redacted»');
    for (const secret of Object.values(secrets)) expect(written).not.toContain(secret);
  });

  test('tells that the client hung up', async () => {
    using trace = open();
    const { client, stage, code } = begin({ ...trace.session() });
    await client.request('initialize', {});
    stage.undone.resolve('undone');
    client.endInput();
    await code;
    expect(readFileSync(path, 'utf8')).toContain('"direction":"from client","end":"The client closed its end."');
  });

  test('tells that the debugger died, and how', async () => {
    using trace = open();
    const { client, stage } = begin({ ...trace.session() });
    stage.ready();
    await client.request('initialize', {});
    await client.request('launch', { delegate });
    await client.request('die').catch(() => {});
    await client.waitForEvent('terminated');
    expect(readFileSync(path, 'utf8')).toContain('"direction":"from debugger","end":"It was ended by SIGKILL."');
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('It succeeded.');
}
