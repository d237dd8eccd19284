/**
 * Sublime Text's package Debugger, after modules/dap/{session,transport}.py of daveleroy/SublimeDebugger: all breakpoints
 * at once, `initialized` may come more than once, every event of a thread is followed by `threads`, `terminated` by a
 * `terminate` that is the first one, and by the end of the process otherwise.
 */
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient } from './client.ts';

export class Sublime extends EmulatedClient {
  #stopRequested = false;

  protected initializeArguments(): Raw {
    return {
      clientID: 'sublime',
      clientName: 'Sublime Text',
      adapterID: field(this.scene.configuration, 'type'),
      pathFormat: 'path',
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsVariableType: true,
      supportsVariablePaging: false,
      supportsRunInTerminalRequest: true,
      supportsMemoryReferences: true,
      locale: 'en-us',
    };
  }

  protected override check(message: Raw): void {
    if (String(message.event).startsWith('progress')) throw new Error('Progress was not asked for.');
  }

  protected override event(name: string, body: unknown): void {
    super.event(name, body);
    if (name === 'thread' || name === 'stopped') this.#refreshThreads();
  }

  /** What fails there is only written down. */
  #refreshThreads(): void {
    this.wire.request('threads', {}).catch(() => {});
  }

  protected override sent(): void {
    this.launched.then(({ success }) => success === true && this.#refreshThreads()).catch(() => {});
  }

  protected async configure(): Promise<void> {
    const { path, line } = this.scene.breakpoint;
    const filters = this.filters ?? [];
    const requests = [
      this.request('setExceptionBreakpoints', { filters, filterOptions: filters.map((filterId) => ({ filterId })) }),
      this.request('setBreakpoints', { source: { path }, breakpoints: [{ line }], lines: [line] }),
    ];
    if (this.capabilities.supportsFunctionBreakpoints === true) {
      requests.push(this.request('setFunctionBreakpoints', { breakpoints: [] }));
    }
    await Promise.all(requests);
    if (this.capabilities.supportsConfigurationDoneRequest === true) await this.request('configurationDone', {});
  }

  protected override asked(request: Request): void {
    if (request.command !== 'runInTerminal') {
      this.wire.send({
        type: 'response',
        request_seq: request.seq,
        command: request.command,
        body: {},
        success: false,
        message: `reverse request not implemented ${request.command}`,
      });
      return;
    }
    const env = field(request.arguments, 'env');
    const environment = { ...this.scene.environment };
    for (const [name, value] of Object.entries(isRaw(env) ? env : {})) {
      if (value === null) delete environment[name];
      else environment[name] = String(value);
    }
    const terminal = this.openTerminal(field(request.arguments, 'args'), environment, field(request.arguments, 'cwd'));
    this.respond(request, { processId: terminal });
  }

  protected atTerminated(): Promise<void> {
    return this.stop();
  }

  protected async atFailedLaunch(): Promise<void> {
    this.kill('SIGTERM');
  }

  /** `Session.stop`: the second time, from whatever side, the process is ended. */
  async stop(): Promise<void> {
    this.ending = true;
    if (this.#stopRequested) {
      this.kill('SIGTERM');
      return;
    }
    this.#stopRequested = true;
    if (this.capabilities.supportsTerminateRequest !== true) throw new Error('Sublime Text would have to disconnect.');
    await this.request('terminate', { restart: false });
  }
}
