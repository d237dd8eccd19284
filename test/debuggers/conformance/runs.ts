/** The scripted session in its two ways: with the debug adapter alone, and through us. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect } from 'vitest';
import type { Raw } from '../../../adapter/dap/message.ts';
import { DapClient } from '../../dap-client.ts';
import { type Debugged, greeting } from './debuggers.ts';
import { startDirectly } from './direct.ts';
import { begin, debug, type End, type Start } from './session.ts';
import { type Received, received } from './trace.ts';

export const served = fileURLToPath(new URL('../served.ts', import.meta.url));

/** What the client received and, for js-debug, what that of its child session received. */
export type Heard = readonly Received[];

/** Where a session is started, and its child sessions. */
interface Way {
  readonly client: DapClient;
  readonly start: Start;
  child(given: DebugProtocol.StartDebuggingRequestArguments): Promise<{ client: DapClient; start: Start }>;
}

export async function runDirectly(debugged: Debugged, end: End): Promise<Heard> {
  const { argv, reach, adapterID, environment } = debugged.direct;
  const own = environment === 'its own process' ? { GREETING: greeting } : {};
  // Through us all processes inherit a variable of ours, for which a program's stack begins at another address.
  const mark = { KUBERNETES_LOCAL_PROCESS_MARK: randomUUID() };
  await using direct = await startDirectly(argv, reach, { ...debugged.environment, ...own, ...mark });
  const { client } = direct;
  const args = { ...debugged.delegate, ...(typeof environment === 'object' && environment) };
  const clients = await session(debugged, end, {
    client,
    start: { adapterID, request: 'launch', arguments: args },
    child: async ({ request, configuration }) => ({
      client: await direct.child(),
      start: { adapterID, request, arguments: configuration },
    }),
  });
  const printed = printedEvents(await direct.printed());
  return clients.map((one, index) => (index === 0 ? { ...one, messages: [...one.messages, ...printed] } : one));
}

/** What the debug adapter printed, as an IDE would show it: for us these are output events too. */
function printedEvents(printed: Readonly<Record<string, string>>): Raw[] {
  return Object.entries(printed)
    .filter(([, output]) => output !== '')
    .map(([category, output]) => ({ type: 'event', event: 'output', body: { category, output } }));
}

/** `options`: more options of served.ts. */
export async function runThroughUs(debugged: Debugged, end: End, options: readonly string[] = []): Promise<Heard> {
  await using ours = new Ours(debugged, options);
  const clients = await session(debugged, end, {
    client: ours.start(),
    start: ours.launch(),
    child: async ({ request, configuration }) => ({
      client: ours.start(),
      start: { adapterID: 'kubernetes-local', request, arguments: configuration },
    }),
  });
  for (const client of ours.clients) {
    client.endInput();
    expect(await client.exited).toEqual({ code: 0, signal: null });
  }
  return clients;
}

async function session({ script, delegate }: Debugged, end: End, way: Way): Promise<Heard> {
  const { client, start } = way;
  if (delegate.type !== 'pwa-node') {
    await debug(client, start, script, end);
    return [received(client.transcript)];
  }
  // js-debug makes each process a session of its own.
  const asked = Promise.withResolvers<DebugProtocol.StartDebuggingRequestArguments>();
  client.onReverseRequest('startDebugging', (args) =>
    asked.resolve(args as DebugProtocol.StartDebuggingRequestArguments),
  );
  await begin(client, start, script);
  const child = await way.child(await asked.promise);
  await debug(child.client, child.start, script, end);
  await client.waitForEvent('terminated');
  await client.request('disconnect', {});
  return [received(client.transcript), received(child.client.transcript)];
}

/** What the user writes; the environment comes from the surroundings. */
export function launchConfiguration(delegate: Debugged['delegate']): Raw {
  return { target: 'cart', delegate };
}

/** Debug adapters of ours for one debugger, without a cluster. */
export class Ours implements AsyncDisposable {
  readonly clients: DapClient[] = [];
  readonly #debugged: Pick<Debugged, 'delegate' | 'command' | 'environment'>;

  readonly #options: readonly string[];

  constructor(debugged: Pick<Debugged, 'delegate' | 'command' | 'environment'>, options: readonly string[] = []) {
    this.#debugged = debugged;
    this.#options = options;
  }

  start(): DapClient {
    const { delegate, environment, command } = this.#debugged;
    const own = command === undefined ? [] : ['--', ...command];
    const argv = [process.execPath, served, '--delegate', delegate.type, ...this.#options, ...own];
    const client = DapClient.spawn(argv, { env: environment });
    this.clients.push(client);
    return client;
  }

  launch(changes: Raw = {}): Start {
    const args = { ...launchConfiguration(this.#debugged.delegate), ...changes };
    return { adapterID: 'kubernetes-local', request: 'launch', arguments: args };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) {
      // It ends everything that it has started before it ends itself.
      client.endInput();
      await client.exited;
    }
  }
}
