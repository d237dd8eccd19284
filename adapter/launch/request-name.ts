/**
 * Kate sends the name of the request within its arguments too: all of `request` in its dap.json, with the key `command`
 * (addons/gdbplugin/dap/client.cpp, `Client::requestLaunchCommand`).
 */

/**
 * The configuration without that key. Any other `command` is a user's mistake and stays.
 * @param configuration is changed.
 */
export function withoutRequestName(configuration: unknown): unknown {
  if (typeof configuration !== 'object' || configuration === null || !('command' in configuration))
    return configuration;
  const { command } = configuration;
  if (command === 'launch' || command === 'attach') Reflect.deleteProperty(configuration, 'command');
  return configuration;
}
