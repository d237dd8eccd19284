/**
 * The two clients on top of Eclipse LSP4J: LSP4E (org.eclipse.lsp4e.debug, debugmodel/DSPDebugTarget.java) and, derived
 * from it, LSP4IJ of the JetBrains IDEs (lsp4ij/dap/client/DAPClient.java). Both configure once, when `initialized` came,
 * also when running without debugging, where they wait for it, and send `configurationDone` always.
 */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';
import { freePort, reach } from './tcp.ts';

/** How long LSP4E waits for `exited` after `terminated`. */
const grace = 2000;

abstract class Lsp4j extends EmulatedClient {
  /** Resolves when the client regards the session as started: `launch` and `configurationDone` are answered. */
  readonly started: Promise<void>;
  readonly #configured = Promise.withResolvers<void>();
  /** Running, not debugging: no breakpoints are sent. */
  protected readonly noDebug: boolean;
  #configuring = false;

  constructor(...args: ConstructorParameters<typeof EmulatedClient>) {
    super(...args);
    this.noDebug = this.root.scene.configuration.noDebug === true;
    this.started = Promise.all([this.launched, this.#configured.promise]).then(([answer]) => {
      if (answer.success !== true && !this.ending) throw new Error('The launch failed.');
    });
    this.started.catch(() => {});
  }

  protected override check(message: Raw): void {
    // Gson fails on numbers for `Integer` that are none, and takes the connection down.
    if (Number(message.seq) > 0x7fffffff) throw new Error('seq is no int.');
    if (String(message.event).startsWith('progress')) throw new Error('Progress was not asked for.');
  }

  protected async configure(): Promise<void> {
    if (this.#configuring) return;
    this.#configuring = true;
    if (!this.noDebug) {
      await this.setBreakpoints();
      if (this.filters !== undefined) await this.request('setExceptionBreakpoints', { filters: this.filters });
    }
    if (this.capabilities.supportsConfigurationDoneRequest !== true)
      throw new Error('configurationDone is not offered.');
    await this.request('configurationDone', {});
    this.#configured.resolve();
  }
}

export class Lsp4e extends Lsp4j {
  readonly #exitedEvent = Promise.withResolvers<void>();

  protected initializeArguments(): Raw {
    return {
      clientID: 'lsp4e.debug',
      adapterID: field(this.scene.configuration, 'type'),
      pathFormat: 'path',
      supportsVariableType: true,
      supportsVariablePaging: true,
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsRunInTerminalRequest: true,
    };
  }

  /** `output`: without a category it is the console's; one that Eclipse has no stream for is not shown. */
  protected override shows(category: unknown): boolean {
    return category === undefined || category === 'console' || category === 'stdout' || category === 'stderr';
  }

  protected override event(name: string, body: unknown): void {
    if (name === 'exited') this.#exitedEvent.resolve();
    super.event(name, body);
  }

  /** `runInTerminal` of DSPDebugTarget: an ordinary process; nobody is told its number. */
  protected override asked(request: Request): void {
    if (request.command !== 'runInTerminal') throw new Error(`LSP4E did not say that it supports ${request.command}.`);
    const environment = { ...this.scene.environment };
    for (const [name, value] of Object.entries(Object(field(request.arguments, 'env')))) {
      if (value === null) delete environment[name];
      else environment[name] = String(value);
    }
    this.openTerminal(field(request.arguments, 'args'), environment, field(request.arguments, 'cwd'));
    this.respond(request, {});
  }

  /** `initialize` of DSPDebugTarget: `terminated()`, and the error for the user. */
  protected async atFailedLaunch(): Promise<void> {
    this.#destroy();
  }

  protected async atTerminated(): Promise<void> {
    if (this.ending) return;
    await Promise.race([this.#exitedEvent.promise, delay(grace, undefined, { ref: false })]);
    this.#destroy();
  }

  /** Ends the debug adapter as soon as `terminate` is answered. */
  async stop(): Promise<void> {
    this.ending = true;
    try {
      await this.request('terminate', {});
    } catch (error) {
      // While it is launching, the failure of that ends the debug adapter before.
      if (this.journalAtKill === undefined) throw error;
    }
    this.#destroy();
  }

  /** Closes both streams and ends the process: `Process.destroy`, on Linux SIGTERM. */
  #destroy(): void {
    this.process.stdin?.destroy();
    this.process.stdout?.destroy();
    this.kill('SIGTERM');
  }
}

/** LSP4IJ, with a server: it shows child sessions only then, for they connect to the same port. */
export class Lsp4ij extends Lsp4j {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(scene: Scene, port: number, parent?: Lsp4ij) {
    super(scene, { streams: false, ...(parent && { parent, sharesProcess: true }) });
    this.#port = port;
  }

  static async start(scene: Scene): Promise<Lsp4ij> {
    const port = await freePort();
    return new Lsp4ij({ ...scene, command: [...scene.command, '--port', String(port)] }, port);
  }

  protected override async streams(): Promise<{ input: Readable; output: Writable }> {
    this.#socket = await reach(this.#port);
    return { input: this.#socket, output: this.#socket };
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'lsp4ij.debug',
      clientName: 'IntelliJ IDEA',
      adapterID: field(this.scene.configuration, 'type'),
      pathFormat: 'path',
      supportsVariableType: true,
      supportsVariablePaging: false,
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsStartDebuggingRequest: true,
    };
  }

  /** A child session gets what the debug adapter asked for, as it is. */
  protected override launchArguments(): Raw {
    const { configuration } = this.scene;
    return this.parent === undefined ? { ...configuration, noDebug: this.noDebug } : configuration;
  }

  /** It connects once more, and answers when that session is started. `request` of the arguments is not looked at. */
  protected override asked(request: Request): void {
    const configuration = field(request.arguments, 'configuration');
    if (request.command !== 'startDebugging' || !isRaw(configuration)) {
      throw new Error(`LSP4IJ did not say that it supports ${request.command}.`);
    }
    const child = new Lsp4ij({ ...this.scene, configuration }, this.#port, this);
    const starting = this.startChild(child).then(() => child.started);
    this.work(starting.then(() => this.respond(request, undefined)));
  }

  /** The end of any of its sessions is the end of all: `debugProcess.stop()`. */
  protected atTerminated(): Promise<void> {
    return this.root.stop();
  }

  /** The error goes to the console. */
  protected atFailedLaunch(): Promise<void> {
    return this.root.stop();
  }

  /** `DAPDebugProcess.stop`: asks to terminate, and interrupts the process without waiting for the answer. */
  async stop(): Promise<void> {
    if (this.ending) return;
    this.ending = true;
    for (const child of this.children) if (child instanceof Lsp4ij) child.ending = true;
    void this.request('terminate', {}).catch(() => {});
    this.kill('SIGINT');
  }
}
