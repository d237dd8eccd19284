/**
 * The processes that a debug adapter started, remembered for as long as they live, so that none survives the session.
 * A process is known by pid and start time: a pid that was given to another process is never touched.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly started: string;
}

/**
 * A variable of a debug adapter's process whose value no other has, so that on Linux also a process is known whose
 * parent ended before anybody had seen the two together: all that it starts inherits the variable, unless it is given
 * another environment altogether. Build servers know the processes of a build in the same way.
 */
export const markVariable = 'KUBERNETES_LOCAL_PROCESS_MARK';

const run = promisify(execFile);
/** ms between two looks; other systems than Linux have to start a program for each. */
const pollEvery = process.platform === 'linux' ? 20 : 200;

/** All living processes. Linux: /proc (proc_pid_stat(5)); Windows: CIM; others: ps. */
async function listProcesses(): Promise<readonly Process[]> {
  if (process.platform === 'linux') {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    return (await Promise.all(pids.map((pid) => readProcess(Number(pid))))).filter((one) => one !== undefined);
  }
  const command: [string, string[]] =
    process.platform === 'win32'
      ? [
          'powershell.exe',
          [
            '-NoProfile',
            '-Command',
            'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.Ticks)" }',
          ],
        ]
      : ['ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart=']];
  const { stdout } = await run(...command, { maxBuffer: 16 * 1024 * 1024, windowsHide: true });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, ...rest] = line.trim().split(/\s+/);
    if (pid === undefined || parent === undefined || rest[0]?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), started: rest.slice(-5).join(' ') }];
  });
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent] = fields;
    // A zombie is dead; who its parent is says nothing about us.
    if (state === 'Z' || state === 'X') return undefined;
    return { pid, parent: Number(parent), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** The mark that a process was started with; undefined if it cannot be told (yet). */
async function markOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  // Empty while it becomes another program (proc_pid_environ(5)).
  if (environment === '') return undefined;
  return (
    environment
      .split('\0')
      .find((entry) => entry.startsWith(`${markVariable}=`))
      ?.slice(markVariable.length + 1) ?? ''
  );
}

/** Which processes of a tree. `program`: the program being debugged and what it started; `debugger`: the others. */
export type Part = 'all' | 'program' | 'debugger';

export class ProcessTree {
  readonly #known = new Map<number, Process>();
  /** Those among the known that are the program being debugged, or were started by it. */
  readonly #program = new Set<number>();
  readonly #roots = new Map<number, 'debugger' | 'program'>();
  /** What marks the processes that the debug adapters of this tree started. */
  readonly #marks = new Set<string>();
  /** Those that have none of the marks, by pid and start time. */
  readonly #strangers = new Map<number, string>();
  /** The last look: an older list that arrives after a newer one would have what is new in that one forgotten. */
  #looking: Promise<unknown> = Promise.resolve();

  /** Adds a process; its descendants are found by each `refresh`. Resolves as `refresh` does. */
  async add(pid: number, role: 'debugger' | 'program'): Promise<readonly number[]> {
    this.#roots.set(pid, role);
    return this.refresh();
  }

  /** Looks for living descendants and forgets the dead; resolves with the pids that are new in the program. */
  refresh(): Promise<readonly number[]> {
    const look = this.#looking.then(() => this.#look());
    this.#looking = look.catch(() => {});
    return look;
  }

  async #look(): Promise<readonly number[]> {
    // One that is added while the list is being read may be missing in it: it waits for the next look.
    const roots = [...this.#roots];
    const living = await listProcesses();
    const byPid = new Map(living.map((one) => [one.pid, one]));
    for (const [pid, one] of this.#known) {
      if (byPid.get(pid)?.started === one.started) continue;
      this.#known.delete(pid);
      this.#program.delete(pid);
    }
    const fresh: number[] = [];
    const learn = (one: Process, role: 'debugger' | 'program') => {
      this.#known.set(one.pid, one);
      if (role === 'debugger' || this.#program.has(one.pid)) return;
      this.#program.add(one.pid);
      fresh.push(one.pid);
    };
    for (const [pid, role] of roots) {
      const root = byPid.get(pid);
      if (root !== undefined) learn(root, role);
      const mark = root !== undefined && role === 'debugger' ? await markOf(pid) : undefined;
      if (mark) this.#marks.add(mark);
      // Once seen or already dead: a later process of this number is another one.
      this.#roots.delete(pid);
    }
    const descend = () => {
      for (let before = -1; before !== this.#known.size + this.#program.size; ) {
        before = this.#known.size + this.#program.size;
        for (const one of living) {
          if (this.#known.has(one.parent)) learn(one, this.#program.has(one.parent) ? 'program' : 'debugger');
        }
      }
    };
    descend();
    // Debug adapters do not leave processes behind, but programs do.
    for (const one of await this.#marked(living)) learn(one, 'program');
    descend();
    return fresh;
  }

  /** Those that carry a mark of ours and are not known yet. */
  async #marked(living: readonly Process[]): Promise<readonly Process[]> {
    if (this.#marks.size === 0) return [];
    const found: Process[] = [];
    const strangers = new Map(this.#strangers);
    this.#strangers.clear();
    const look = async (one: Process) => {
      if (this.#known.has(one.pid)) return;
      const mark = strangers.get(one.pid) === one.started ? '' : await markOf(one.pid);
      if (mark !== undefined && this.#marks.has(mark)) found.push(one);
      else if (mark !== undefined) this.#strangers.set(one.pid, one.started);
    };
    await Promise.all(living.map(look));
    return found;
  }

  /** Whether none of them lives, as of the last `refresh`. */
  get empty(): boolean {
    return this.#known.size === 0;
  }

  /** Those that lived at the last `refresh`: all of them, or only the program's, or only the others. */
  pids(part: Part = 'all'): readonly number[] {
    const all = [...this.#known.keys()];
    return part === 'all' ? all : all.filter((pid) => this.#program.has(pid) === (part === 'program'));
  }

  /** Sends a signal to all that are known and still the same, or to a part of them. */
  async signal(name: NodeJS.Signals, part: Part = 'all'): Promise<void> {
    await this.refresh();
    for (const pid of this.pids(part)) {
      try {
        process.kill(pid, name);
      } catch {
        // Gone in between, or not ours to end.
      }
    }
  }

  /** Waits until none of them, or of a part, lives; false if some still do after `patience` ms. */
  async gone(patience: number, part: Part = 'all'): Promise<boolean> {
    const deadline = performance.now() + patience;
    for (;;) {
      await this.refresh();
      if (this.pids(part).length === 0) return true;
      if (performance.now() >= deadline) return false;
      await setTimeout(pollEvery);
    }
  }
}
