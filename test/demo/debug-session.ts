/** A debug session of the cart as an IDE has it: through `kubernetes-local dap`, over the Debug Adapter Protocol. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { cartProgram } from '../apps/shop/shop.ts';
import { DapClient } from '../dap-client.ts';
import type { Narrator } from './narrator.ts';
import type { Place } from './place.ts';

export class DebugSession implements AsyncDisposable {
  readonly #client: DapClient;
  readonly #narrator: Narrator;
  #stopped: DebugProtocol.StoppedEvent['body'] | undefined;
  #ended = false;

  private constructor(client: DapClient, narrator: Narrator) {
    this.#client = client;
    this.#narrator = narrator;
  }

  /** Initialize and launch, up to the point where an IDE sends its breakpoints. */
  static async start(place: Place, narrator: Narrator, signal: AbortSignal): Promise<DebugSession> {
    const client = DapClient.spawn([...place.product, 'dap', '--delegate', 'debugpy'], {});
    signal.addEventListener('abort', () => client.kill('SIGTERM'), { once: true });
    const session = new DebugSession(client, narrator);
    client.onEvent<DebugProtocol.OutputEvent['body']>('output', ({ category, output }) => {
      if (category !== 'telemetry' && output.trim() !== '') narrator.detail(output.trimEnd());
    });
    client.onEvent<DebugProtocol.ProgressUpdateEvent['body']>('progressUpdate', ({ message }) => {
      if (message) narrator.detail(message);
    });
    try {
      await client.request('initialize', {
        adapterID: 'kubernetes-local',
        clientID: 'demo',
        linesStartAt1: true,
        columnsStartAt1: true,
        pathFormat: 'path',
        supportsProgressReporting: true,
      });
      const initialized = client.waitForEvent('initialized');
      const launched = client.request('launch', {
        type: 'kubernetes-local',
        request: 'launch',
        name: 'cart in the cluster',
        target: 'service/cart',
        namespace: place.shop.namespace,
        agentImage: place.agentImage,
        ...place.cluster,
        delegate: { type: 'debugpy', request: 'launch', program: cartProgram, python: '/usr/bin/python3' },
      });
      // debugpy answers "launch" only after "configurationDone"; a failure comes at once.
      await Promise.race([initialized, launched]);
      session.#launched = launched;
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  #launched: Promise<unknown> = Promise.resolve();

  /** Sets a breakpoint on the line that holds this code and lets the program run. Returns the line. */
  async setBreakpoint(code: string): Promise<number> {
    const line =
      readFileSync(cartProgram, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes(code)) + 1;
    const { breakpoints } = await this.#client.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
      source: { path: cartProgram },
      breakpoints: [{ line }],
    });
    if (!breakpoints[0]?.verified) throw new Error(`The breakpoint in line ${line} was not taken.`);
    const listening = this.#client.waitForEvent<DebugProtocol.OutputEvent['body']>('output', ({ output }) =>
      output.includes('listens on port'),
    );
    await this.#client.request('configurationDone');
    await this.#launched;
    await listening;
    return line;
  }

  /** Waits for the breakpoint and shows what the local program sees. */
  async showStop(signal: AbortSignal): Promise<void> {
    const stopped = await this.#client.waitForEvent<DebugProtocol.StoppedEvent['body']>('stopped');
    signal.throwIfAborted();
    this.#stopped = stopped;
    const { stackFrames } = await this.#client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
      threadId: stopped.threadId,
    });
    const [frame] = stackFrames;
    if (!frame) throw new Error('The program stopped without a stack frame.');
    this.#narrator.good(
      `Stopped (${stopped.reason}) in ${frame.name}, ${basename(frame.source?.path ?? '')}:${frame.line}`,
    );
    const { scopes } = await this.#client.request<DebugProtocol.ScopesResponse['body']>('scopes', {
      frameId: frame.id,
    });
    const locals = scopes.find((scope) => scope.name === 'Locals');
    if (!locals) throw new Error('The stack frame has no local variables.');
    const { variables } = await this.#client.request<DebugProtocol.VariablesResponse['body']>('variables', {
      variablesReference: locals.variablesReference,
    });
    const shown = new Map(variables.map((variable) => [variable.name, variable.value]));
    this.#narrator.say(`items  = ${shown.get('items')}    from redis:6379, by name`);
    this.#narrator.say(`prices = ${shown.get('prices')}    from http://prices/, by name`);
    const evaluate = async (expression: string) =>
      (
        await this.#client.request<DebugProtocol.EvaluateResponse['body']>('evaluate', {
          expression,
          frameId: frame.id,
          context: 'repl',
        })
      ).result;
    this.#narrator.say(`os.environ["GREETING"] = ${await evaluate('os.environ["GREETING"]')}    from a ConfigMap`);
    const length = await evaluate('len(os.environ["PAYMENT_TOKEN"])');
    this.#narrator.say(`os.environ["PAYMENT_TOKEN"]: ${length} characters, from a Secret (not shown)`);
  }

  async resume(): Promise<void> {
    await this.#client.request('continue', { threadId: this.#stopped?.threadId });
  }

  /** What an IDE does when the user presses Stop. */
  async disconnect(): Promise<void> {
    await this.#client.request('disconnect', { terminateDebuggee: true });
    this.#client.endInput();
    await this.#client.exited;
    this.#ended = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#client.endInput();
    await this.#client.exited;
  }
}
