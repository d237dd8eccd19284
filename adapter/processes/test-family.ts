/** For tests: a process with a child of its own, which is hard to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ProcessTree } from './tree.ts';

export interface Family extends Disposable {
  readonly parent: ChildProcess;
  readonly pid: number;
  /** Detached, and deaf to SIGTERM. */
  readonly grandchild: number;
}

/** Starts a process that starts another one; the first leaves the second alone when it gets SIGINT. */
export async function startFamily(): Promise<Family> {
  const code = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); process.on("SIGTERM", () => {}); console.log(process.pid)'],
      { detached: true, stdio: ['ignore', 'inherit', 'ignore'] });
    process.on('SIGINT', () => process.exit());
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = await once(parent.stdout, 'data');
  const grandchild = Number(text);
  if (parent.pid === undefined) throw new Error('It was not started.');
  return {
    parent,
    pid: parent.pid,
    grandchild,
    [Symbol.dispose]: () => {
      parent.kill('SIGKILL');
      try {
        process.kill(grandchild, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    },
  };
}

/** Whether a process of this number lives; one that is dead but not buried by its parent does not. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await new ProcessTree().add(pid, 'program')).includes(pid);
}
