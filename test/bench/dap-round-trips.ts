/** Round trips of a stopped program, both sides in turn: `evaluate`, and `next` until it has stopped again. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { run } from '../cluster/run.ts';
import type { DapClient } from '../dap-client.ts';
import { realDebuggers } from '../debuggers/install.ts';
import { begin, end, type Side, type Sides, type Subject } from './dap-sides.ts';
import { compare, type Measure, median } from './measure.ts';

/** More than a person feels is neither of the two. */
const bar = { ratio: 1.05, difference: 0.3 };
/** Round trips of which one run is the median. */
const perRun = 200;
/** Its multiples, without their whole parts, spread evenly. */
const golden = (Math.sqrt(5) - 1) / 2;
const order: readonly Side[] = ['ours', 'other'];

/** A loop to step through; the breakpoint is in its first line. */
const python = {
  file: 'loop.py',
  line: 3,
  text: 'count = 0\nwhile True:\n    count += 1\n    count += 2\n    count -= 1\n',
};
const c = {
  file: 'loop.c',
  line: 4,
  text: 'int main(void) {\n  long count = 0;\n  for (;;) {\n    count += 1;\n    count += 2;\n    count -= 1;\n  }\n}\n',
};

/**
 * debugpy's two processes speak over TCP and wait up to 40 ms for acknowledgements (Nagle's algorithm), now and then and
 * with or without us. That is more than all that is to be measured, so both sides are relieved of it.
 */
const withoutNagle = `
import socket
plain = socket.socket.__init__
def init(self, *args, **keywords):
    plain(self, *args, **keywords)
    if self.family == socket.AF_INET and self.type == socket.SOCK_STREAM:
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
socket.socket.__init__ = init
`;

export async function benchRoundTrips(
  sides: Sides,
  runs: number,
  say: (text: string) => void,
): Promise<readonly Measure[]> {
  const { adapters, gcc } = await realDebuggers(say);
  const pythonFile = join(sides.folder, python.file);
  const cFile = join(sides.folder, c.file);
  const program = join(sides.folder, 'loop');
  await writeFile(pythonFile, python.text);
  await writeFile(cFile, c.text);
  // Python runs this at its start.
  await writeFile(join(sides.folder, 'sitecustomize.py'), withoutNagle);
  await run([gcc, '-g', '-O0', '-o', program, cFile], {});
  const subjects: readonly (Subject & { name: string; path: string; line: number; period: number })[] = [
    {
      name: 'debugpy',
      type: 'debugpy',
      command: adapters.debugpy,
      launch: { program: pythonFile, console: 'internalConsole', subProcess: false },
      env: { PYTHONPATH: sides.folder },
      path: pythonFile,
      line: python.line,
      // Its threads look for work every 10 to 20 ms: each trip begins at another moment of that.
      period: 20,
    },
    {
      name: 'lldb-dap 22',
      type: 'lldb-dap',
      command: adapters.lldbDap22,
      launch: { program },
      period: 0,
      path: cFile,
      line: c.line,
    },
  ];
  const measures: Measure[] = [];
  for (const { name, path, line, period, ...subject } of subjects) {
    const [ours, other] = await Promise.all(order.map((side) => Stopped.at(sides, side, subject, path, line)));
    if (ours === undefined || other === undefined) throw new Error('There are two sides.');
    const both = { ours, other };
    for (const what of ['evaluate', 'next'] as const) {
      const samples = { ours: [] as number[], other: [] as number[] };
      // The first run warms both.
      for (let one = -1; one < runs; one++) {
        const times = { ours: [] as number[], other: [] as number[] };
        for (let trip = 0; trip < perRun; trip++) {
          for (const side of order) {
            spend(((trip * golden) % 1) * period);
            times[side].push(await both[side][what]());
          }
        }
        say(
          `${name} ${what}, run ${one + 1}: ours ${median(times.ours).toFixed(3)} ms, alone ${median(times.other).toFixed(3)} ms`,
        );
        if (one >= 0) for (const side of order) samples[side].push(median(times[side]));
      }
      measures.push(compare(`${what}, ${name}`, 'ms', `${name} alone`, bar, samples));
    }
    await Promise.all(order.map((side) => end(both[side].client)));
  }
  return measures;
}

/** Waits without a rest: computers that had one are slower for a moment, on both sides, and by more than is measured. */
function spend(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
}

/** A debug session whose program stands at a breakpoint. */
class Stopped {
  readonly client: DapClient;
  readonly #threadId: number;
  readonly #frameId: number;

  static async at(sides: Sides, side: Side, subject: Subject, path: string, line: number): Promise<Stopped> {
    const { client, launched } = await begin(sides, side, subject);
    const source = { path };
    await client.request('setBreakpoints', { source, breakpoints: [{ line }] });
    await client.request('configurationDone');
    await launched;
    const { threadId = 0 } = await client.waitForEvent<DebugProtocol.StoppedEvent['body']>('stopped');
    await client.request('setBreakpoints', { source, breakpoints: [] });
    const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
    return new Stopped(client, threadId, stackFrames[0]?.id ?? 0);
  }

  private constructor(client: DapClient, threadId: number, frameId: number) {
    this.client = client;
    this.#threadId = threadId;
    this.#frameId = frameId;
  }

  /** ms until the value of a variable is there. */
  async evaluate(): Promise<number> {
    const started = performance.now();
    await this.client.request('evaluate', { expression: 'count', frameId: this.#frameId, context: 'watch' });
    return performance.now() - started;
  }

  /** ms until the program has made a step. */
  async next(): Promise<number> {
    const started = performance.now();
    const stopped = this.client.waitForEvent('stopped');
    await this.client.request('next', { threadId: this.#threadId });
    await stopped;
    return performance.now() - started;
  }
}
