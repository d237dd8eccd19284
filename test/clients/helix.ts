/**
 * Helix, after helix-dap/src/{client,transport}.rs, helix-view/src/handlers/dap.rs and helix-term/src/commands/dap.rs of
 * helix-editor/helix: every request has to be answered within 20 s, whether it succeeded is not looked at, numbers begin
 * with 0, requests without arguments say `null`, an unknown event is discarded, `capabilities` too, and `runInTerminal`
 * drops env and cwd. Versions that know `terminate` leave the rest to `terminated`; older ones disconnect. A launch
 * configuration is a table of texts, lists of them, true and false (helix-core/src/syntax/config.rs,
 * `DebugArgumentValue`), to which `dap_start_impl` adds `cwd`.
 */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';
import { freePort, reach } from './tcp.ts';

const requestTimeout = 20_000;

export class Helix extends EmulatedClient {
  protected override readonly firstSeq = 0;
  readonly #knowsTerminate: boolean;
  readonly #port: number | undefined;
  #socket: Socket | undefined;
  #disconnecting = false;

  constructor(scene: Scene, { knowsTerminate = true, port }: { knowsTerminate?: boolean; port?: number } = {}) {
    super(scene, { limit: requestTimeout, streams: port === undefined });
    this.#knowsTerminate = knowsTerminate;
    this.#port = port;
  }

  /** `transport = "tcp"` with `port-arg = "--port {}"`: Helix chooses the port. */
  static async overTcp(scene: Scene): Promise<Helix> {
    const port = await freePort();
    return new Helix({ ...scene, command: [...scene.command, '--port', String(port)] }, { port });
  }

  protected override async streams(): Promise<{ input: Readable; output: Writable }> {
    if (this.#port === undefined) return super.streams();
    this.#socket = await reach(this.#port);
    return { input: this.#socket, output: this.#socket };
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'hx',
      clientName: 'helix',
      adapterID: 'kubernetes-local',
      locale: 'en-us',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      supportsVariableType: true,
      supportsVariablePaging: false,
      supportsRunInTerminalRequest: true,
      supportsMemoryReferences: false,
      supportsProgressReporting: false,
      supportsInvalidatedEvent: false,
    };
  }

  protected override launchArguments(): Raw {
    const { type: _type, request: _request, name: _name, ...args } = this.scene.configuration;
    const written = Object.entries(args).map(([key, value]) => [
      key,
      argumentValue(isRaw(value) ? JSON.stringify(value) : value),
    ]);
    return { ...Object.fromEntries(written), cwd: process.cwd() };
  }

  protected override check(message: Raw): void {
    // serde takes no response without these (transport.rs, `struct Response`).
    if (message.type === 'response' && typeof message.command !== 'string')
      throw new Error('A response names no command.');
    if (String(message.event).startsWith('progress')) throw new Error('Helix was sent progress that it cannot show.');
  }

  protected async configure(): Promise<void> {
    const { path, line } = this.scene.breakpoint;
    await this.request('setBreakpoints', { source: { path }, breakpoints: [{ line }], sourceModified: false });
    await this.request('configurationDone', null);
  }

  /** `run_in_terminal` of handlers/dap.rs: only the arguments of the request arrive in the terminal. */
  protected override asked(request: Request): void {
    if (request.command !== 'runInTerminal') {
      throw new Error(`Helix never answers ${request.command} over the standard streams.`);
    }
    const processId = this.openTerminal(field(request.arguments, 'args'), this.scene.environment);
    this.respond(request, { processId, shellProcessId: null });
  }

  protected atTerminated(): Promise<void> {
    return this.#disconnect({ restart: false });
  }

  /** "Failed to start debugging session": it waits for what comes then. */
  protected async atFailedLaunch(): Promise<void> {}

  async stop(): Promise<void> {
    this.ending = true;
    const known = this.#knowsTerminate && this.capabilities.supportsTerminateRequest === true;
    if (known) await this.wire.request('terminate', { restart: false }, requestTimeout);
    else await this.#disconnect(null);
  }

  /** Then it is dropped: by the standard streams it is killed, a server has to end by itself. */
  async #disconnect(args: Raw | null): Promise<void> {
    // A second `terminated` finds no debugger any more.
    if (this.#disconnecting) return;
    this.#disconnecting = true;
    await this.wire.request('disconnect', args, requestTimeout);
    if (this.#socket === undefined) this.kill('SIGKILL');
    else this.#socket.destroy();
  }
}

/** What becomes of a `DebugArgumentValue`; anything else is not read from languages.toml. */
function argumentValue(value: unknown): unknown {
  if (typeof value === 'string') return /^\d+$/.test(value) ? Number(value) : value;
  if (typeof value === 'boolean' || (Array.isArray(value) && value.every((one) => typeof one === 'string')))
    return value;
  throw new Error(`Helix does not read ${JSON.stringify(value)}.`);
}
