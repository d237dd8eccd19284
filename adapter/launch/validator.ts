/** What checks a launch configuration by its schema and fills in the defaults. In a bundle it is compiled already, see validator-code.ts. */
import { Ajv, type Options } from 'ajv';
import type { LaunchSchema } from './launch.schema.d.ts';
import schema from './launch.schema.json' with { type: 'json' };

/** A valid launch configuration: defaults filled in, keys that are the IDE's own business left out. */
export type LaunchConfiguration = LaunchSchema &
  Required<
    Pick<
      LaunchSchema,
      | 'request'
      | 'mode'
      | 'network'
      | 'onPortConflict'
      | 'onHeld'
      | 'elevate'
      | 'reaper'
      | 'reaperDelay'
      | 'onUnresolved'
    >
  >;

export const validatorOptions: Options = {
  allErrors: true,
  allowUnionTypes: true,
  useDefaults: true,
  verbose: true, // errors carry the value found
  // Words for IDEs, which mean nothing to a validator.
  keywords: ['markdownDescription', 'doNotSuggest', 'defaultSnippets'],
};

export const validate = new Ajv(validatorOptions).compile<LaunchConfiguration>(schema);
