/**
 * nvim-dap, after lua/dap.lua, lua/dap/session.lua and lua/dap/rpc.lua of mfussenegger/nvim-dap: an adapter of the type
 * "executable", which a function makes from the configuration, so that each has its own `--delegate`.
 */
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';
import { failureIn } from './wire.ts';

/** `disconnect_timeout_sec`. */
const disconnectLimit = 3000;
/** How long `Session.spawn` polls after SIGINT, every 50 ms, before SIGKILL. */
const patience = 5000;

export class NvimDap extends EmulatedClient {
  /** What nvim-dap tells the user as a warning or error. */
  readonly notices: string[] = [];
  /** `adapters`: what the user has defined, by type. */
  readonly #adapters = new Set(['kubernetes-local']);
  #closed = false;

  constructor(scene: Scene, parent?: NvimDap) {
    super(scene, { detached: true, ...(parent && { parent }) });
    void this.exited.then(({ code, signal }) => {
      // uv gives 0 as exit code of a process that was killed by a signal.
      if (code !== 0 && signal === null) this.notices.push(`exited with ${code}`);
    });
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'neovim',
      clientName: 'neovim',
      adapterID: 'nvim-dap',
      pathFormat: 'path',
      columnsStartAt1: true,
      linesStartAt1: true,
      supportsRunInTerminalRequest: true,
      supportsVariableType: true,
      supportsProgressReporting: true,
      supportsStartDebuggingRequest: true,
      locale: 'en_US.UTF-8',
    };
  }

  protected override event(name: string, body: unknown): void {
    if (name === 'capabilities') {
      const changed = field(body, 'capabilities');
      if (!isRaw(changed)) throw new Error('There are no capabilities in the event.');
      this.capabilities = { ...this.capabilities, ...changed };
    }
    super.event(name, body);
  }

  protected async configure(): Promise<void> {
    await this.setBreakpoints({ name: basename(this.scene.breakpoint.path) });
    if (this.filters !== undefined) await this.request('setExceptionBreakpoints', { filters: this.filters });
    if (this.capabilities.supportsConfigurationDoneRequest === true) await this.request('configurationDone', undefined);
  }

  protected override asked(request: Request): void {
    const args = request.arguments;
    if (request.command === 'runInTerminal') {
      const env = field(args, 'env');
      const environment = { ...this.scene.environment, ...(isRaw(env) ? strings(env) : {}) };
      this.respond(request, { processId: this.openTerminal(field(args, 'args'), environment, field(args, 'cwd')) });
    } else if (request.command === 'startDebugging') {
      this.work(this.#startDebugging(request));
    } else {
      throw new Error(`"No handler for reverse request" ${request.command}`);
    }
  }

  /** It looks its own adapters up, and never answers if there is none of this type (field notes, §1.4). */
  async #startDebugging(request: Request): Promise<void> {
    const asked = field(request.arguments, 'configuration');
    const configuration = isRaw(asked) ? { ...asked, request: field(request.arguments, 'request') } : {};
    const type = field(configuration, 'type');
    if (!this.#adapters.has(String(type))) throw new Error(`"Invalid adapter definition" for ${type}.`);
    // The function of our template finds no delegate in the configuration of a child session.
    const command = withoutDelegate(this.scene.command);
    await this.startChild(new NvimDap({ ...this.scene, command, configuration }, this));
    this.respond(request, undefined);
  }

  protected atTerminated(): Promise<void> {
    return this.#close();
  }

  protected async atFailedLaunch(): Promise<void> {
    this.notices.push(`Error on launch: ${failureIn(await this.launched)}`);
    await this.#close();
  }

  /** `require('dap').terminate()`, of the session in which the program stopped last. */
  async stop(): Promise<void> {
    const focused = this.children.at(-1);
    if (focused !== undefined) return focused.stop();
    this.ending = true;
    const supported = this.capabilities.supportsTerminateRequest === true;
    const asked = supported
      ? this.wire.request('terminate', {})
      : this.wire.request('disconnect', { restart: false, terminateDebuggee: true });
    const late = delay(disconnectLimit, 'late', { ref: false });
    if ((await Promise.race([asked, late])) === 'late') this.notices.push('terminate timed out');
    await this.#close();
  }

  /** `Session:close`: end of file, SIGINT, and SIGKILL for what is still there after five seconds. */
  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.process.stdin?.end();
    this.kill('SIGINT');
    const ended = await Promise.race([this.exited, delay(patience, undefined, { ref: false })]);
    if (ended !== undefined) return;
    this.process.kill('SIGKILL');
    this.wire.fail('It had to be killed.');
  }
}

function strings(env: Raw): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

function withoutDelegate(command: readonly string[]): string[] {
  const at = command.indexOf('--delegate');
  return command.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
}
