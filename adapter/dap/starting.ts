/** Starting a real debug adapter, as far as its answer to `initialize`. */
import type { DebuggerProfile, DelegateCommand } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import type { Delegate } from './delegate.ts';
import { isRaw, type Raw, type Response } from './message.ts';
import type { Requests } from './requests.ts';
import { within } from './within.ts';

/** How a debugger is to be started. */
export interface Start {
  readonly profile: DebuggerProfile;
  readonly command: DelegateCommand;
  /** For debuggers that take it only here. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A debug adapter that answered `initialize`. */
export interface Ready {
  readonly delegate: Delegate;
  readonly requests: Requests;
  readonly profile: DebuggerProfile;
  /** Its answer, which may be a refusal. */
  readonly response: Response;
  /** What it can do, as far as it has said by now. */
  capabilities: Raw;
}

/**
 * Sends `initialize` with the client's arguments.
 * Resolves with the reason if the debug adapter ends instead, or does not answer within `patience` ms.
 */
export async function initialize(
  delegate: Delegate,
  requests: Requests,
  profile: DebuggerProfile,
  clientArguments: Raw,
  patience: number,
): Promise<Ready | string> {
  const answer = requests.ask({
    type: 'request',
    command: 'initialize',
    arguments: { ...clientArguments, adapterID: profile.adapterID },
  });
  const outcome = await within(patience, Promise.race([answer, delegate.exited]), 'It did not answer.');
  if (typeof outcome === 'string') return outcome;
  return { delegate, requests, profile, response: outcome, capabilities: isRaw(outcome.body) ? outcome.body : {} };
}

/** How a debug adapter ended, with what it complained about. */
export function reasonOf(how: string, delegate: Delegate, log: Log): string {
  return log.redactor.redact([how, delegate.complaint].filter(Boolean).join('\n'));
}

/** The problem of a debug adapter that is not there (any more). */
export function died(profile: DebuggerProfile, reason: string): Problem {
  return new Problem({
    code: 'delegate-died',
    what: `The debugger ${profile.title} ended unexpectedly.`,
    why: reason,
    remedy: 'Start the debug session again; if this repeats, try the same program with that debugger alone.',
  });
}
