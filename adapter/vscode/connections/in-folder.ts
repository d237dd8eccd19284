/** A launch configuration whose relative paths mean a folder of the workspace, wherever this process was started. */
import { resolve } from 'node:path';
import type { LaunchConfiguration } from '../../launch/configuration.ts';

/** The working folder of the delegate is what all relative paths of a configuration are relative to. */
export function inFolder(configuration: LaunchConfiguration, folder: string): LaunchConfiguration {
  const { delegate } = configuration;
  const cwd = typeof delegate?.cwd === 'string' && delegate.cwd !== '' ? delegate.cwd : '.';
  return { ...configuration, delegate: { type: 'none', ...delegate, cwd: resolve(folder, cwd) } };
}
