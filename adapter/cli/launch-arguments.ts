import { field } from '../dap/message.ts';
import type { ParsedLaunch } from '../dap/surroundings.ts';
import { delegateOf, parseLaunchConfiguration } from '../launch/configuration.ts';

/** What the launch arguments of an IDE say to the real debugger. Throws Problem if they are not valid. */
export function parseLaunchArguments(args: unknown): ParsedLaunch {
  const configuration = parseLaunchConfiguration(args, 'the launch configuration');
  const { debugAdapter } = configuration;
  const { type, request = 'launch', ...rest } = delegateOf(configuration);
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
