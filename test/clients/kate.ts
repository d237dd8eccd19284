/**
 * Kate, after addons/gdbplugin/dap/{client,processbus}.cpp of KDE/kate: no clientID, `path` where `pathFormat` is meant,
 * always "qdap", numbers from 0, `null` for no arguments, no reverse requests and no progress, one `initialized`, after the
 * answer to `initialize`, and the name of the request within the arguments of `launch` too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Raw, Request } from '../../adapter/dap/message.ts';
import { EmulatedClient } from './client.ts';

type State = 'initializing' | 'initialized' | 'terminated';

export class Kate extends EmulatedClient {
  protected override readonly firstSeq = 0;
  #state: State = 'initializing';

  protected initializeArguments(): Raw {
    return {
      locale: 'en_US',
      adapterID: 'qdap',
      linesStartAt1: true,
      columnsStartAt1: true,
      path: 'path',
      supportsVariableType: true,
      supportsVariablePaging: false,
      supportsRunInTerminalRequest: false,
      supportsMemoryReferences: false,
      supportsProgressReporting: false,
      supportsInvalidatedEvent: false,
      supportsMemoryEvent: false,
    };
  }

  protected override launchArguments(): Raw {
    return { ...this.scene.configuration, command: 'launch' };
  }

  protected override event(name: string, body: unknown): void {
    if (name === 'initialized') {
      if (this.#state !== 'initializing') throw new Error('"unexpected initialized event"');
      this.#state = 'initialized';
    }
    if (name.startsWith('progress')) throw new Error(`"unsupported event": ${name}`);
    super.event(name, body);
  }

  protected async configure(): Promise<void> {
    await this.setBreakpoints();
    if (this.capabilities.supportsConfigurationDoneRequest === true) await this.request('configurationDone', null);
  }

  protected override asked({ command }: Request): void {
    throw new Error(`Kate is in State::Failed after ${command}.`);
  }

  protected async atTerminated(): Promise<void> {
    this.#state = 'terminated';
    await this.request('disconnect', {});
    await this.#closeBus();
  }

  /** State::Failed: the error is shown, and the end is in the hands of the `terminated` event. */
  protected async atFailedLaunch(): Promise<void> {}

  /** `terminate` when it can be asked for; the end of that is in the hands of the `terminated` event. */
  async stop(): Promise<void> {
    this.ending = true;
    if (this.capabilities.supportsTerminateRequest !== true) throw new Error('Kate would have to disconnect.');
    await this.request('terminate', {});
    await this.exited;
  }

  /** `~ProcessBus`: SIGTERM, half a second, SIGKILL. */
  async #closeBus(): Promise<void> {
    this.kill('SIGTERM');
    if ((await Promise.race([this.exited, delay(500)])) === undefined) this.process.kill('SIGKILL');
  }
}
