/**
 * The entry point in the pod: configuration from the environment, until SIGTERM. The image has a second program beside this
 * one, which the argument "reaper" starts (adapter/reaper/main.ts).
 */
import { startAgent } from './agent.ts';
import { logToStandardOutput as log } from './log.ts';
import { agentConfigurationVariable, parseAgentConfiguration } from './protocol.ts';

const fail = (error: unknown): void => {
  log('error', error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
};

const runAgent = async (): Promise<void> => {
  const agent = await startAgent(parseAgentConfiguration(process.env[agentConfigurationVariable] ?? ''), { log });
  const stop = (signal: NodeJS.Signals): void => {
    log('info', 'stopping', { signal });
    agent.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
};

try {
  if (process.argv[2] === 'reaper') await import(new URL('reaper.mjs', import.meta.url).href);
  else await runAgent();
} catch (error) {
  fail(error);
}
