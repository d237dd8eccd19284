/**
 * VS Code, after what version 1.139 was seen to do (field notes, §1.6): Stop is `terminate`, `terminated` is followed by
 * `disconnect`, which has to be answered within two seconds, and then comes SIGTERM. What connecting shows as progress
 * can be cancelled.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';

const disconnectLimit = 2000;

export class VsCode extends EmulatedClient {
  readonly #progress = Promise.withResolvers<string>();
  readonly #running = new Set<unknown>();
  #disconnecting = false;

  constructor(scene: Scene, parent?: VsCode) {
    super(scene, parent && { parent });
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'vscode',
      clientName: 'Visual Studio Code',
      adapterID: field(this.scene.configuration, 'type'),
      pathFormat: 'path',
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsVariableType: true,
      supportsVariablePaging: true,
      supportsRunInTerminalRequest: true,
      locale: 'en',
      supportsProgressReporting: true,
      supportsInvalidatedEvent: true,
      supportsMemoryReferences: true,
      supportsArgsCanBeInterpretedByShell: true,
      supportsMemoryEvent: true,
      supportsStartDebuggingRequest: true,
      supportsANSIStyling: true,
    };
  }

  /** The notifications whose progress has not ended: they would stay on the screen. */
  get unfinished(): number {
    return this.#running.size;
  }

  /** The user presses Cancel in the notification. */
  async cancel(): Promise<void> {
    const progressId = await this.wire.unlessBroken(this.#progress.promise);
    this.ending = true;
    await this.request('cancel', { progressId });
  }

  protected override event(name: string, body: unknown): void {
    const progressId = field(body, 'progressId');
    if (name === 'progressStart') {
      if (field(body, 'cancellable') !== true) throw new Error('This progress has no button.');
      this.#running.add(progressId);
      this.#progress.resolve(String(progressId));
    } else if (name === 'progressEnd') this.#running.delete(progressId);
    super.event(name, body);
  }

  protected async configure(): Promise<void> {
    await this.setBreakpoints();
    if (this.capabilities.supportsFunctionBreakpoints === true) {
      await this.request('setFunctionBreakpoints', { breakpoints: [] });
    }
    if (this.filters !== undefined) await this.request('setExceptionBreakpoints', { filters: this.filters });
    if (this.capabilities.supportsConfigurationDoneRequest === true) await this.request('configurationDone', undefined);
  }

  protected override asked(request: Request): void {
    const args = request.arguments;
    if (request.command === 'runInTerminal') {
      // It types one line into a shell, with the variables before the command.
      const env = field(args, 'env');
      const variables = Object.entries(isRaw(env) ? env : {}).map(([name, value]) => `${name}=${value}`);
      const words = field(args, 'args');
      const line = ['env', ...variables, ...(Array.isArray(words) ? words : [])];
      this.respond(request, { shellProcessId: this.openTerminal(line, this.scene.environment, field(args, 'cwd')) });
    } else if (request.command === 'startDebugging') {
      const asked = field(args, 'configuration');
      const { type } = this.scene.configuration;
      const configuration = { ...(isRaw(asked) ? asked : {}), request: field(args, 'request'), type };
      this.work(this.startChild(new VsCode({ ...this.scene, configuration }, this)));
      this.respond(request, undefined);
    } else {
      throw new Error(`VS Code cannot answer ${request.command}.`);
    }
  }

  protected atTerminated(): Promise<void> {
    return this.#disconnect();
  }

  protected atFailedLaunch(): Promise<void> {
    return this.#disconnect();
  }

  async stop(): Promise<void> {
    if (this.capabilities.supportsTerminateRequest !== true) throw new Error('VS Code would have to disconnect.');
    this.ending = true;
    await this.request('terminate', { restart: false });
    await this.gone();
  }

  async #disconnect(): Promise<void> {
    if (this.#disconnecting) return;
    this.#disconnecting = true;
    const asked = this.wire.request('disconnect', { restart: false, terminateDebuggee: false });
    const late = delay(disconnectLimit, 'late', { ref: false });
    if ((await Promise.race([asked, late])) === 'late') this.wire.fail('It had to be killed without an answer.');
    this.kill('SIGTERM');
  }
}
