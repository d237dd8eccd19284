/** From a draft to a launch configuration: complete, in an order that reads well, and valid. */
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import type { Draft } from './draft.ts';

/** Problems as parseLaunchConfiguration. The draft must have a program. */
export function launchConfiguration({ name, place, program }: Draft): Record<string, unknown> {
  const configuration = {
    type: 'kubernetes-local',
    request: 'launch',
    name,
    ...place,
    ...program?.beside,
    ...(program !== undefined && { delegate: program.delegate }),
  };
  parseLaunchConfiguration(configuration, 'the new configuration');
  return configuration;
}
