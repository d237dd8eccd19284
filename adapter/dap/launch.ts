/** The client's `launch` or `attach`, from the moment it came. */
import type { DebuggerProfile, Given } from '../debuggers/profile.ts';
import { Problem } from '../problem.ts';
import type { Start } from './debugger.ts';
import { field, isRaw, type Raw, type Request } from './message.ts';
import type { ServeOptions } from './options.ts';
import type { Place } from './place.ts';
import type { ParsedLaunch } from './surroundings.ts';

/** What is known once it has been passed on to the real debug adapter. */
export interface Settled {
  readonly profile: DebuggerProfile;
  readonly parsed: ParsedLaunch;
  readonly environment: Readonly<Record<string, string>>;
  readonly place: Place | undefined;
}

export class Launch {
  readonly request: Request;
  readonly verb: 'launch' | 'attach';
  readonly abort = new AbortController();
  /** Resolves when connecting is over, whichever way. */
  readonly over = Promise.withResolvers<void>();
  /** The client has its answer; what happens later is told by events. */
  answered = false;
  settled: Settled | undefined;

  /** The client knows no child sessions. */
  readonly oneSession: boolean;

  constructor(request: Request, verb: 'launch' | 'attach', oneSession: boolean) {
    this.request = request;
    this.verb = verb;
    this.oneSession = oneSession;
  }

  /** Whether the program was there before and is left alone in the end. */
  get attaches(): boolean {
    return (this.settled?.parsed.request ?? this.verb) === 'attach';
  }

  /** The launch type under which the client knows us. */
  get clientType(): string {
    const type = field(this.request.arguments, 'type');
    return typeof type === 'string' ? type : 'kubernetes-local';
  }

  get noDebug(): boolean {
    return field(this.request.arguments, 'noDebug') === true;
  }
}

/** The client's launch arguments; what our command line says of the debug adapter holds if they say nothing. */
export function parseLaunch(
  { surroundings, debugAdapter }: ServeOptions,
  args: unknown,
  verb: 'launch' | 'attach',
): ParsedLaunch {
  const parsed = surroundings.parse(args, verb);
  return { ...(debugAdapter !== undefined && { debugAdapter }), ...parsed };
}

/** What a profile wants to know. */
export function given(parsed: ParsedLaunch): Given {
  const { delegateArguments: args, debugAdapter } = parsed;
  return { args, ...(debugAdapter !== undefined && { debugAdapter }) };
}

/** Launch arguments of a child session as its parent had them from the real debug adapter. */
export function childLaunch(
  invitation: { delegate: string; request: 'launch' | 'attach'; configuration: Record<string, unknown> },
  args: unknown,
): ParsedLaunch {
  const noDebug = isRaw(args) && args.noDebug !== undefined ? { noDebug: args.noDebug } : {};
  return {
    delegateType: invitation.delegate,
    request: invitation.request,
    delegateArguments: { ...invitation.configuration, ...noDebug },
  };
}

/** What the user did not want any more. */
export function givenUp(): Problem {
  return Problem.cancelled();
}

/** How the debugger of a launch is started. */
export function startOf({ profile, parsed, environment, place }: Settled): Start {
  const command = profile.command(given(parsed));
  const atStart = profile.environmentAt(given(parsed)) === 'start' ? environment : {};
  // One that runs already is where it is.
  return { profile, command, environment: atStart, ...(command.transport.kind !== 'running' && { place }) };
}

/** The `launch` or `attach` for the real debug adapter. */
export function delegateLaunch({ settled, oneSession }: Launch): Raw {
  if (settled === undefined) throw new Error('The launch is not settled.');
  const { profile, parsed, environment } = settled;
  return { type: 'request', ...profile.request({ ...given(parsed), oneSession }, environment, parsed.request) };
}
