/** Debug adapters as an IDE starts them without us, each in the way that it is usually reached. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dial } from '../../../adapter/dap/reach.ts';
import { DapClient } from '../../dap-client.ts';

/** For a debug adapter that is started on a busy computer, in ms. */
const patience = 30_000;

/** How a debug adapter is reached; `{port}` and `{socket}` in its arguments say where. */
export type Reach =
  | { readonly by: 'stdio' }
  /** It calls us. */
  | { readonly by: 'callback' }
  /** It listens at the socket, and says this when it does. `stays`: after the session too. */
  | { readonly by: 'socket'; readonly ready: RegExp; readonly stays?: true };

/** A debug adapter that was started directly. */
export interface Direct extends AsyncDisposable {
  readonly client: DapClient;
  /** A second conversation with the same debug adapter, for a child session. */
  child(): Promise<DapClient>;
  /** After the session: what the debug adapter wrote to its standard streams beside DAP; mostly the program's output. */
  printed(): Promise<Readonly<Record<'stdout' | 'stderr', string>>>;
}

export async function startDirectly(argv: readonly string[], reach: Reach, env: NodeJS.ProcessEnv): Promise<Direct> {
  if (reach.by === 'stdio') {
    const client = DapClient.spawn(argv, { env });
    return {
      client,
      child: () => Promise.reject(new Error('It has no child sessions.')),
      printed: async () => ({ stdout: '', stderr: '' }),
      async [Symbol.asyncDispose]() {
        client.endInput();
        client.kill('SIGKILL');
        await client.exited;
      },
    };
  }
  const folder = mkdtempSync(join(tmpdir(), 'direct-'));
  const path = join(folder, 'socket');
  const sockets: Socket[] = [];
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const called = once(server, 'connection').then(([socket]) => socket as Socket);
  const [program = '', ...args] = argv.map((word) => word.replace('{port}', port).replace('{socket}', path));
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const printed = collect(child);
  const talk = (socket: Socket) => {
    sockets.push(socket);
    return DapClient.over(socket, socket);
  };
  // Some say that they listen a moment before they do.
  const connected = async () => talk(await dial({ path }, AbortSignal.timeout(patience)));
  if (reach.by === 'socket') await printed.line(reach.ready);
  const client = reach.by === 'callback' ? talk(await called) : await connected();
  return {
    client,
    child: connected,
    printed: async () => {
      if (reach.by === 'callback' || !reach.stays) await closed;
      return printed.text;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
      await closed;
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess) {
  const text = { stdout: '', stderr: '' };
  let look = () => {};
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (more: string) => {
      text[name] += more;
      look();
    });
  }
  return {
    text,
    /** Resolves when this was said, and forgets all that was said until then. */
    line: (wanted: RegExp) =>
      new Promise<void>((resolve, reject) => {
        look = () => {
          if (!wanted.test(text.stdout + text.stderr)) return;
          text.stdout = '';
          text.stderr = '';
          look = () => {};
          resolve();
        };
        child.once('exit', (code) => reject(new Error(`It has ended with ${code}.\n${text.stdout}${text.stderr}`)));
        child.once('error', reject);
      }),
  };
}
