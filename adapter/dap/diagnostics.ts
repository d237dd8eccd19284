/**
 * The custom request `kubernetesLocal/diagnostics` for an IDE's command "Show diagnostic information". It is answered here,
 * in every state, and never reaches the debugger.
 */
import { Problem } from '../problem.ts';
import type { DebugSession } from './debug-session.ts';
import { field, type Request } from './message.ts';
import { errorOf } from './problem-response.ts';

export const diagnosticsCommand = 'kubernetesLocal/diagnostics';

/** Answers the request; never rejects. */
export async function diagnostics({ client, options }: DebugSession, request: Request): Promise<void> {
  try {
    const format = field(request.arguments, 'format') ?? 'json';
    if (format !== 'json' && format !== 'text') throw unknownFormat(format);
    const body = await options.surroundings.diagnose?.(format);
    if (body === undefined) throw new Error('there is nothing that could be diagnosed');
    client.respond(request, { success: true, body });
  } catch (error) {
    options.log.write('warn', 'The diagnostics could not be given.', { error });
    client.respond(request, errorOf(Problem.from(error)));
  }
}

function unknownFormat(format: unknown): Problem {
  return new Problem({
    code: 'bad-value',
    what: `"format" of ${diagnosticsCommand} is ${JSON.stringify(format)}.`,
    why: '',
    remedy: 'It may be "json" or "text".',
  });
}
