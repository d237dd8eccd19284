/**
 * Visual Studio's Debug Adapter Host, after its wiki ("Differences from Visual Studio Code") and issue 2 of
 * microsoft/VSDebugAdapterHost: each integer is an Int32 and each name of an enumeration a member of it, or the session
 * ends; so it does at most requests that fail. It configures when `initialized` came in answer to `launch`; one that
 * came before has to wait until `launch` is answered. After the answer to `disconnect` nothing is heard any more.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { field, isRaw, type Raw } from '../../adapter/dap/message.ts';
import { EmulatedClient, type Scene } from './client.ts';

const categories = ['console', 'important', 'stdout', 'stderr', 'telemetry'] as const;
const changes = ['changed', 'new', 'removed'] as const satisfies DebugProtocol.ModuleEvent['body']['reason'][];
/** The enumerations of events, by the event and the key of its body. */
const enumerations: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  output: {
    category: categories,
    group: ['start', 'startCollapsed', 'end'] satisfies DebugProtocol.OutputEvent['body']['group'][],
  },
  stopped: {
    reason: [
      'step',
      'breakpoint',
      'exception',
      'pause',
      'entry',
      'goto',
      'function breakpoint',
      'data breakpoint',
      'instruction breakpoint',
    ],
  },
  thread: { reason: ['started', 'exited'] },
  breakpoint: { reason: changes },
  module: { reason: changes },
  loadedSource: { reason: changes },
  process: {
    startMethod: [
      'launch',
      'attach',
      'attachForSuspendedLaunch',
    ] satisfies DebugProtocol.ProcessEvent['body']['startMethod'][],
  },
};

export class VisualStudio extends EmulatedClient {
  #launching = false;
  #disconnecting = false;
  #disconnected = false;

  constructor(scene: Scene) {
    super(scene);
  }

  protected initializeArguments(): Raw {
    return {
      clientID: 'visualstudio',
      clientName: 'Visual Studio',
      adapterID: field(this.scene.configuration, 'type'),
      locale: 'en-US',
      pathFormat: 'path',
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsVariableType: true,
      supportsRunInTerminalRequest: true,
      supportsMemoryReferences: true,
    };
  }

  protected override check(message: Raw): void {
    if (this.#disconnected) throw new Error(`This came after the answer to disconnect: ${JSON.stringify(message)}`);
    const wide = wideInteger(message);
    if (wide !== undefined) throw new Error(`${wide} is no Int32.`);
    for (const [key, members] of Object.entries(enumerations[String(message.event)] ?? {})) {
      const value = field(message.body, key);
      if (value !== undefined && !members.includes(String(value))) throw new Error(`${value} is no ${key}.`);
    }
    if (message.command === 'disconnect') this.#disconnected = true;
    if (String(message.event).startsWith('progress')) throw new Error('Progress was not asked for.');
  }

  protected override sent(): void {
    this.#launching = true;
  }

  protected async configure(): Promise<void> {
    if (!this.#launching) await this.launched;
    await this.setBreakpoints();
    if (this.capabilities.supportsFunctionBreakpoints === true) {
      await this.request('setFunctionBreakpoints', { breakpoints: [] });
    }
    await this.request('setExceptionBreakpoints', { filters: this.filters ?? [] });
    if (this.capabilities.supportsConfigurationDoneRequest === true) await this.request('configurationDone', {});
  }

  protected atTerminated(): Promise<void> {
    return this.#disconnect({});
  }

  protected atFailedLaunch(): Promise<void> {
    return this.#disconnect({});
  }

  stop(): Promise<void> {
    this.ending = true;
    return this.#disconnect({ terminateDebuggee: true });
  }

  async #disconnect(args: Raw): Promise<void> {
    if (this.#disconnecting) return;
    this.#disconnecting = true;
    await this.request('disconnect', args);
    this.process.stdin?.end();
  }
}

/** The first integer that is no Int32. */
function wideInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value !== (value | 0) ? value : undefined;
  const inside = Array.isArray(value) ? value : isRaw(value) ? Object.values(value) : [];
  for (const one of inside) {
    const wide = wideInteger(one);
    if (wide !== undefined) return wide;
  }
  return undefined;
}
