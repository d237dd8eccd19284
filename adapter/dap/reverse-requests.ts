/** Requests of the real debug adapter to the client: they carry no secrets, and each of them gets an answer. */
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { type Children, type Ticket, ticketKey } from './children.ts';
import type { Debugger } from './debugger.ts';
import { field, isRaw, type Raw, type Request, type Response } from './message.ts';
import type { Requests } from './requests.ts';
import { TerminalFiles } from './terminal.ts';

/** Some clients never answer what they do not know (field notes, §1.4): nvim-dap, Helix. */
const oftenUnanswered = new Set(['startDebugging', 'runInTerminal']);

/** Keys of configurations that may hold what the user of the client need not see. */
const privateKeys = new Set(['env', 'environment']);

export class ReverseRequests implements Disposable {
  readonly #toClient: Requests;
  readonly #children: Children;
  readonly #log: Log;
  readonly #patience: number;
  readonly #terminalFiles = new TerminalFiles();
  readonly #askers = new Map<Request, { readonly from: Debugger; readonly timer: NodeJS.Timeout | undefined }>();

  /** `patience`: for answers of clients that may not know the request, in ms. */
  constructor(options: { toClient: Requests; children: Children; log: Log; patience: number }) {
    this.#toClient = options.toClient;
    this.#children = options.children;
    this.#log = options.log;
    this.#patience = options.patience;
  }

  /** Passes a request on. `clientType`: the launch type under which the client knows us. */
  pass(from: Debugger, request: Request, clientType: string): void {
    let message: Raw;
    try {
      message = this.#conceal(from, request, clientType);
    } catch (error) {
      this.#log.write('error', 'A request of the debug adapter could not be passed on.', { error });
      refuse(from, request, Problem.from(error).message);
      return;
    }
    this.#toClient.forward(request, message);
    const timer = oftenUnanswered.has(request.command)
      ? setTimeout(() => this.#giveUp(request), this.#patience).unref()
      : undefined;
    this.#askers.set(request, { from, timer });
  }

  /** Takes the client's response to whoever asked. */
  answered(response: Response): void {
    const answer = this.#toClient.answer(response);
    const asker = answer && this.#askers.get(answer.request);
    if (answer === undefined || asker === undefined) return;
    clearTimeout(asker.timer);
    this.#askers.delete(answer.request);
    asker.from.delegate.channel.send(answer.message);
  }

  /**
   * debugpy's own event for a child session, as the request that all clients know. Resolves with whether the client
   * took it.
   */
  async startChild(from: Debugger, configuration: Raw, clientType: string): Promise<boolean> {
    const request = { request: 'attach', configuration };
    const message = { type: 'request', command: 'startDebugging', arguments: request };
    const answer = await this.#toClient.ask({ ...message, arguments: this.#invite(from, request, clientType) });
    return answer.success !== false;
  }

  #conceal(from: Debugger, request: Request, clientType: string): Raw {
    if (request.command === 'runInTerminal') return this.#terminalFiles.conceal(request, from.start.place);
    if (request.command !== 'startDebugging' || !isRaw(request.arguments)) return request;
    return { ...request, arguments: this.#invite(from, request.arguments, clientType) };
  }

  /** The arguments of `startDebugging` as the client gets them: our type, our ticket, and no environment. */
  #invite(from: Debugger, args: Raw, clientType: string): Raw {
    const configuration = isRaw(args.configuration) ? args.configuration : {};
    const request = args.request === 'attach' ? 'attach' : 'launch';
    const endpoint = from.profile.childEndpoint?.(configuration, from.delegate.endpoint);
    const [delegate] = from.profile.types;
    const ticket: Ticket = this.#children.invite(
      { delegate, request, configuration, place: from.start.place },
      endpoint,
    );
    return {
      ...args,
      // `delegate`: so that a client can start the child's debug adapter with the right capabilities.
      configuration: {
        ...withoutSecrets(configuration),
        type: clientType,
        request,
        delegate: { type: delegate },
        [ticketKey]: ticket,
      },
    };
  }

  #giveUp(request: Request): void {
    const asker = this.#askers.get(request);
    this.#askers.delete(request);
    this.#toClient.withdraw(request);
    this.#log.write('warn', 'The client did not answer a request of the debug adapter.', { command: request.command });
    if (asker !== undefined) refuse(asker.from, request, 'The client did not answer.');
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#askers.values()) clearTimeout(timer);
    this.#terminalFiles[Symbol.dispose]();
  }
}

/** Answers a request of a debug adapter with an error. */
export function refuse(to: Debugger, request: Request, why: string): void {
  const frame = { type: 'response', request_seq: Number(request.seq), command: request.command };
  to.delegate.channel.send({ ...frame, success: false, message: why });
}

/** A configuration without its environment variables. */
function withoutSecrets(configuration: Raw): Raw {
  return Object.fromEntries(Object.entries(configuration).filter(([key]) => !privateKeys.has(key)));
}

/** The `debugpyAttach` event for a client that can only be told of it. */
export function concealedEvent(event: Raw): Raw {
  const body = field(event, 'body');
  return isRaw(body) ? { ...event, body: withoutSecrets(body) } : event;
}
