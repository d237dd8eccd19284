/** The sample project of this folder, built and run by Debian's xbuild; what the build wrote, as it writes it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const xbuildPackages = ['mono-xbuild', 'mono-mcs', 'mono-runtime'] as const;

const project = join(import.meta.dirname, 'sample', 'Sample.csproj');

/** A build that runs. */
export interface Build {
  /** With the exit code and all that it wrote; its signal counts as no exit code. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Resolves when the output holds this; rejects when the build ends without it. */
  saw(wanted: string): Promise<void>;
  /** What Ctrl-C does: all programs of the terminal get the signal. */
  interrupt(): void;
}

/** A folder for the outputs of builds of the sample. What still runs of them at the end is ended. */
export class SampleProject implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sample-'));
  readonly #running = new Map<number, Promise<unknown>>();

  /**
   * Builds a target. The properties are given as MSBuild wants them on its command line, so `%24` stands for `$`; one that
   * is undefined is not given, which is not the same as an empty one: that one could not be set by the project any more.
   */
  build(
    target: string,
    properties: Readonly<Record<string, string | undefined>>,
    environment: NodeJS.ProcessEnv,
  ): Build {
    const all = { BuildFolder: this.folder, ...properties };
    const options = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`/p:${name}=${value}`],
    );
    const child = spawn('xbuild', ['/nologo', `/t:${target}`, ...options, project], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, to end it with all that it started
    });
    const { pid } = child;
    let output = '';
    const waiting = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        for (const look of waiting) look();
      });
    }
    const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });
    ended.catch(() => {});
    if (pid !== undefined) {
      this.#running.set(pid, ended);
      child.once('close', () => this.#running.delete(pid));
    }
    return {
      ended,
      saw: async (wanted) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const look = () => output.includes(wanted) && resolve();
        waiting.add(look);
        void ended.then(() => reject(new Error(`The build ended without saying "${wanted}":\n${output}`)), reject);
        look();
        await promise.finally(() => waiting.delete(look));
      },
      interrupt: () => {
        if (pid !== undefined) process.kill(-pid, 'SIGINT');
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running];
    for (const [pid] of running) process.kill(-pid, 'SIGTERM');
    await Promise.allSettled(running.map(([, ended]) => ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
