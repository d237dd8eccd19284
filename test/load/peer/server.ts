/** The server of the tasks. */
import { createServer, type Server, type Socket } from 'node:net';
import { chunksOf, digestOf, newHash, SeededBytes } from './random.ts';
import { Incoming, send, sendLine } from './socket.ts';
import { greeting, type Seen, type Task, taskSchema } from './tasks.ts';

type TaskOf<Name extends Task['task']> = Extract<Task, { task: Name }>;

/** Connections that clients speak of under one key. */
class Group {
  readonly #finished = Promise.withResolvers<void>();
  readonly #resumed = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<string>();
  readonly finished = this.#finished.promise;
  readonly resumed = this.#resumed.promise;
  readonly end = this.#end.promise;
  readonly writers: Writer[] = [];
  isFinished = false;

  finish(): void {
    this.isFinished = true;
    this.#finished.resolve();
  }

  resume(): void {
    this.#resumed.resolve();
  }

  ended(how: string): void {
    this.#end.resolve(how);
  }
}

interface Writer {
  /** What the system has taken, which is less than what was made. */
  readonly socket: Socket;
}

/** Serves the tasks of `tasks.ts`. */
export function createTaskServer(): Server {
  const groups = new Map<string, Group>();
  const group = (key: string): Group => {
    const known = groups.get(key) ?? new Group();
    groups.set(key, known);
    return known;
  };
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // What a connection ends with is seen by who reads or writes it.
    socket.on('error', () => {});
    void serve(socket, group).catch(() => socket.destroy());
  });
}

/** Greets, then gives back each line. */
export function createSpeaker(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.write(`${greeting}\n`);
    socket.pipe(socket);
  });
}

async function serve(socket: Socket, group: (key: string) => Group): Promise<void> {
  const incoming = new Incoming(socket);
  const task = taskSchema.parse(JSON.parse(await incoming.line()));
  switch (task.task) {
    case 'bytes':
      return serveBytes(task, socket, incoming);
    case 'short':
      return serveShort(task, socket, incoming);
    case 'write':
      return write(task, socket, incoming, group(task.key));
    case 'hold':
      await group(task.key).resumed;
      sendLine(socket, await seen(incoming));
      socket.end();
      return;
    case 'written': {
      const { writers } = group(task.key);
      const written = writers.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0);
      return answer(socket, incoming, { written, connections: writers.length });
    }
    case 'finish':
      group(task.key).finish();
      return answer(socket, incoming, {});
    case 'resume':
      group(task.key).resume();
      return answer(socket, incoming, {});
    case 'reset':
      await incoming.take(task.after, () => {});
      socket.resetAndDestroy();
      return;
    case 'watch':
      socket.write('watched\n');
      await incoming
        .all(() => {})
        .then(
          () => group(task.key).ended('end'),
          (error: NodeJS.ErrnoException) => group(task.key).ended(error.code ?? error.message),
        );
      socket.end();
      return;
    case 'end-of':
      return answer(socket, incoming, { end: await group(task.key).end });
    case 'listen-only':
      socket.end();
      group(task.key).ended(JSON.stringify(await seen(incoming)));
  }
}

async function serveBytes({ up, down }: TaskOf<'bytes'>, socket: Socket, incoming: Incoming): Promise<void> {
  const hash = newHash();
  const [length] = await Promise.all([
    incoming.all((chunk) => hash.update(chunk)),
    send(socket, chunksOf(down.seed, down.length)),
  ]);
  const digest = hash.digest('hex');
  // Both ends compare; neither believes the other.
  if (length === up.length && digest !== digestOf(up.seed, up.length)) throw new Error('other bytes than were sent');
  sendLine(socket, { length, digest } satisfies Seen);
  socket.end();
}

async function serveShort(task: TaskOf<'short'>, socket: Socket, incoming: Incoming): Promise<void> {
  const hash = newHash();
  await incoming.take(task.request.length, (chunk) => hash.update(chunk));
  if (task.endsFirst === 'client') await incoming.end();
  sendLine(socket, { length: task.request.length, digest: hash.digest('hex') } satisfies Seen);
  await send(socket, chunksOf(task.answer.seed, task.answer.length));
  socket.end();
  if (task.endsFirst === 'server') await incoming.end();
}

async function write(task: TaskOf<'write'>, socket: Socket, incoming: Incoming, group: Group): Promise<void> {
  group.writers.push({ socket });
  const bytes = new SeededBytes(task.seed);
  function* chunks(): Generator<Buffer> {
    for (let left = task.most; left > 0 && !group.isFinished; left -= step) yield bytes.next(step);
  }
  await send(socket, chunks());
  socket.end();
  await incoming.end();
}

const step = 1 << 16;

async function seen(incoming: Incoming): Promise<Seen> {
  const hash = newHash();
  const length = await incoming.all((chunk) => hash.update(chunk));
  return { length, digest: hash.digest('hex') };
}

async function answer(socket: Socket, incoming: Incoming, line: object): Promise<void> {
  sendLine(socket, line);
  socket.end();
  await incoming.end();
}
