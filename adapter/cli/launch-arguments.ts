import { field } from '../dap/message.ts';
import type { ParsedLaunch } from '../dap/surroundings.ts';
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import { Problem } from '../problem.ts';

/** What the launch arguments of an IDE say to the real debugger. Throws Problem if they are not valid. */
export function parseLaunchArguments(args: unknown): ParsedLaunch {
  const { delegate, debugAdapter } = parseLaunchConfiguration(args, 'the launch configuration');
  if (!delegate) {
    throw new Problem({
      code: 'missing-key',
      what: 'The launch configuration has no "delegate".',
      why: 'It says which real debugger runs the program.',
      remedy: 'Add for example "delegate": { "type": "debugpy", "program": "main.py" }.',
    });
  }
  const { type, request = 'launch', ...rest } = delegate;
  return {
    delegateType: type,
    request,
    delegateArguments: { type, request, ...rest, ...ofTheClient(args) },
    ...(debugAdapter !== undefined && { debugAdapter }),
  };
}

/** What clients add to any launch, beside ours, and mean for the real debugger (DAP, "LaunchRequestArguments"). */
function ofTheClient(args: unknown): Record<string, unknown> {
  const restart = field(args, '__restart');
  return {
    ...(field(args, 'noDebug') === true && { noDebug: true }),
    ...(restart !== undefined && { __restart: restart }),
  };
}
