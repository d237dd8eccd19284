/** A session whose program does what the test asks: commands and servers run where a user's program would. */
import { chmodSync, chownSync, copyFileSync, existsSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, startCommand } from './command-line.ts';

const answerSchema = z.object({ id: z.number(), code: z.number(), stdout: z.string(), stderr: z.string() });
type Answer = z.infer<typeof answerSchema>;

export interface Workbench {
  readonly command: RunningCommand;
  /** Runs a command inside the session; files that only root can read are copied for it. */
  run(argv: readonly string[]): Promise<Answer>;
  /** Starts an HTTP server inside the session that answers `text`. Rejects if it cannot listen. */
  serve(host: string, port: number, text: string): Promise<void>;
  /** Ends the session as Ctrl-C does; resolves with the exit code of the command. */
  end(): Promise<number | null>;
}

const program = join(import.meta.dirname, 'workbench.mjs');

/** Starts `run` with these options; resolves when the program is there. */
export async function startWorkbench(world: World, options: readonly string[]): Promise<Workbench> {
  const path = join(world.state, 'workbench.sock');
  rmSync(path, { force: true });
  const copy = join(world.state, 'workbench.mjs');
  copyFileSync(program, copy);
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  for (const file of [path, copy]) {
    chmodSync(file, 0o700);
    chownSync(file, world.uid, world.uid);
  }
  const command = startCommand(world, ['run', ...options, ...placeOptions(world), '--', world.node, copy, path]);
  const socket = await Promise.race([
    connected,
    command.ended.then(({ stderr }) => {
      throw new Error(`It ended:\n${stderr}`);
    }),
  ]).finally(() => server.close());
  const waiting = new Map<number, (answer: Answer) => void>();
  createInterface({ input: socket }).on('line', (line) => {
    const answer = answerSchema.parse(JSON.parse(line));
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  let last = 0;
  const ask = (what: object): Promise<Answer> =>
    new Promise((resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      socket.write(`${JSON.stringify({ id, ...what })}\n`);
    });
  return {
    command,
    run: (argv) => ask({ argv: argv.map((word) => readable(world, word)) }),
    serve: async (host, port, text) => {
      const { code, stderr } = await ask({ serve: [host, port], text });
      if (code !== 0) throw new Error(stderr);
    },
    end: async () => {
      command.kill('SIGINT');
      return (await command.ended).code;
    },
  };
}

/** The word, or if it is a file of root's folders, the path of a copy that the user of this world can read. */
function readable(world: World, word: string): string {
  if (word === process.execPath) return world.node;
  if (!word.startsWith('/') || word.startsWith('/usr/')) return word;
  const copy = join(world.state, basename(word));
  if (!existsSync(copy)) {
    copyFileSync(word, copy);
    chownSync(copy, world.uid, world.uid);
  }
  return copy;
}
