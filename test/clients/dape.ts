/**
 * dape of Emacs, after dape.el of svaante/dape: every request has to be answered within ten seconds
 * (`dape-request-timeout`), a `capabilities` event is answered with `setExceptionBreakpoints` at once, whatever has
 * happened so far, output that is not of one of four categories is not shown, and `dape-kill` kills the adapter as soon
 * as `terminate` is answered.
 */
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';

const requestTimeout = 10_000;
const shownCategories = new Set<unknown>(['stdout', 'console', 'output', 'stderr']);

export class Dape extends EmulatedClient {
  /** Emacs numbers its responses by themselves: they are not monotonic with its requests. */
  #responses = 1;

  constructor(scene: Scene, parent?: Dape) {
    super(scene, { detached: true, limit: requestTimeout, ...(parent && { parent }) });
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'dape',
      adapterID: field(this.scene.configuration, 'type'),
      pathFormat: 'path',
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsRunInTerminalRequest: true,
      supportsArgsCanBeInterpretedByShell: true,
      supportsProgressReporting: true,
      supportsStartDebuggingRequest: true,
    };
  }

  protected override shows(category: unknown): boolean {
    return shownCategories.has(category);
  }

  protected override event(name: string, body: unknown): void {
    const changed = field(body, 'capabilities');
    if (name === 'capabilities' && isRaw(changed)) {
      this.capabilities = { ...this.capabilities, ...changed };
      this.work(this.#configureExceptions());
    }
    super.event(name, body);
  }

  /** `dape--configure-exceptions`, … , `configurationDone`, one after another. */
  protected async configure(): Promise<void> {
    await this.#configureExceptions();
    await this.setBreakpoints();
    await this.request('configurationDone', undefined);
  }

  async #configureExceptions(): Promise<void> {
    if (this.filters !== undefined) await this.request('setExceptionBreakpoints', { filters: this.filters });
  }

  protected override asked(request: Request): void {
    const args = request.arguments;
    if (request.command === 'runInTerminal') {
      const env = field(args, 'env');
      // What the request names is all that the program gets; without any, it inherits that of Emacs.
      const given = isRaw(env) ? Object.entries(env).map(([name, value]) => [name, String(value)]) : [];
      const environment = given.length > 0 ? Object.fromEntries(given) : this.scene.environment;
      this.#answer(request, { processId: this.openTerminal(field(args, 'args'), environment, field(args, 'cwd')) });
    } else if (request.command === 'startDebugging') {
      const asked = field(args, 'configuration');
      // The command that starts the adapter is the parent's.
      const configuration = isRaw(asked) ? { ...asked, request: field(args, 'request') } : {};
      this.work(this.startChild(new Dape({ ...this.scene, configuration }, this)));
      this.#answer(request, undefined);
    } else {
      // An error response of dape names no command.
      const answer = { type: 'response', request_seq: request.seq, success: false, message: 'not here' };
      this.wire.send(answer, this.#responses++);
    }
  }

  #answer({ seq, command }: Request, body: Raw | undefined): void {
    this.wire.send(
      { type: 'response', request_seq: seq, success: true, command, ...(body && { body }) },
      this.#responses++,
    );
  }

  /** The `terminated` event has it end the session, unless the user is at it. */
  protected async atTerminated(): Promise<void> {
    if (!this.ending) await this.stop();
  }

  /** `dape--launch-or-attach` shows the error and kills the session. */
  protected async atFailedLaunch(): Promise<void> {
    if (!this.ending) await this.stop();
  }

  /** `dape-kill`, with `supportsTerminateRequest`; `jsonrpc-shutdown` ends in `delete-process`. No `disconnect`. */
  async stop(): Promise<void> {
    this.ending = true;
    await this.request('terminate', undefined);
    this.kill('SIGKILL', true);
  }
}
