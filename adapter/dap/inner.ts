/**
 * A child session inside the conversation, for clients that know no `startDebugging`: with js-debug even a single
 * program is a child session, so such a client would never see it. What the client asks goes to the child, what it
 * configured is told to the child again, and the end stays with the parent.
 */
import type { Endpoint } from '../debuggers/profile.ts';
import type { Configured } from './configured.ts';
import type { Debugger } from './debugger.ts';
import { field, isRaw, type Raw, type Request } from './message.ts';
import { refuse } from './reverse-requests.ts';
import type { Started } from './starting.ts';

export interface InnerOptions {
  readonly configured: Configured;
  /** Starts a conversation with the debug adapter that serves the child. */
  start(parent: Debugger, endpoint: Endpoint): Promise<Started | undefined>;
  tell(event: Raw): void;
}

/** Takes the child session that `parent` asks for; only one at a time can be shown to such a client. */
export async function adoptChild(parent: Debugger, request: Request, options: InnerOptions): Promise<void> {
  const configuration = field(request.arguments, 'configuration');
  const endpoint = isRaw(configuration) && parent.profile.childEndpoint?.(configuration, parent.delegate.endpoint);
  if (parent.inner !== undefined || !endpoint) {
    refuse(parent, request, 'The client can show one debug session only.');
    return;
  }
  const started = await options.start(parent, endpoint);
  if (started === undefined || parent.dismissed) {
    refuse(parent, request, 'The child session could not be started.');
    return;
  }
  const child = started.debugger;
  parent.inner = child;
  const frame = { type: 'response', request_seq: Number(request.seq), command: request.command };
  parent.delegate.channel.send({ ...frame, success: true });
  child.onInitialized = () => void options.configured.replay(child, (event) => options.tell(event));
  child.held = undefined;
  const verb = field(request.arguments, 'request') === 'attach' ? 'attach' : 'launch';
  // Its answer is the client's no business: the launch that the client asked for is the parent's.
  void child.requests.ask({ type: 'request', command: verb, arguments: configuration });
}
