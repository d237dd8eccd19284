/** What is different through us, on purpose: the direct session as it has to look through us. */
import { isRaw, type Raw } from '../../../adapter/dap/message.ts';
import type { Heard } from './runs.ts';
import type { Received } from './trace.ts';

/** Added to the answer to `initialize`: done by us where the debugger cannot. */
const additions = {
  supportsConfigurationDoneRequest: true,
  supportsTerminateRequest: true,
  supportsCancelRequest: true,
  supportTerminateDebuggee: true,
  supportsRestartRequest: true,
};

/** What the user is told by us; child sessions have no connection of their own. */
const connected = { type: 'event', event: 'output', body: { category: 'console', output: 'Connected.\n' } };

export function asThroughUs(direct: Heard): Heard {
  return direct.map(({ messages, asked }, index) => ({
    messages: [...(index === 0 ? [connected] : []), ...messages.map((message) => changed(message, asked))],
    asked,
  }));
}

function changed(message: Raw, asked: readonly string[]): Raw {
  if (message.type === 'request' && message.command === 'startDebugging') return invitation(message);
  if (message.event === 'capabilities') return withoutAdditions(message);
  if (message.type !== 'response') return message;
  // CodeLLDB leaves it empty in errors; clients that look at it get it from us.
  const command = asked[Number(message.request_seq) - 1];
  if (command !== 'initialize' || !isRaw(message.body)) return { ...message, command };
  return { ...message, body: { ...message.body, ...additions } };
}

/** What we do at any rate, a debugger cannot take back. */
function withoutAdditions(message: Raw): Raw {
  const { capabilities } = isRaw(message.body) ? message.body : {};
  const left = Object.entries(isRaw(capabilities) ? capabilities : {}).filter(([name]) => !(name in additions));
  return { ...message, body: { capabilities: Object.fromEntries(left) } };
}

/**
 * For debuggers that are there only after `launch`: what the client knows of them by then, whether it was answered or
 * told by an event.
 */
export function withKnownCapabilities({ messages, asked }: Received): Received {
  const launching = messages.findIndex(({ event }) => event === 'initialized');
  const told = messages.slice(0, launching).filter(({ event }) => event === 'capabilities');
  const known = Object.assign({}, ...told.map(({ body }) => (isRaw(body) ? body.capabilities : {})));
  return {
    asked,
    messages: messages
      .filter((message) => !told.includes(message))
      .map((message) =>
        message.command === 'initialize' && isRaw(message.body)
          ? { type: message.type, command: message.command, body: { ...message.body, ...known } }
          : message,
      ),
  };
}

/** Of a debugger that is its program, and never says that this has ended. */
export function withEnd({ messages, asked }: Received): Received {
  const end = messages.findLastIndex(({ type }) => type === 'response') + 1;
  return { asked, messages: messages.toSpliced(end, 0, { type: 'event', event: 'terminated' }) };
}

/** The child session's configuration: of our type, with our ticket, which the trace holds as «opaque». */
function invitation(message: Raw): Raw {
  const args = isRaw(message.arguments) ? message.arguments : {};
  const { configuration, request } = args;
  return {
    ...message,
    arguments: {
      ...args,
      configuration: {
        ...(isRaw(configuration) && configuration),
        type: 'kubernetes-local',
        request,
        delegate: { type: 'node' },
        __kubernetesLocal: {},
      },
    },
  };
}
