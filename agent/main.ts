/** The entry point in the pod: configuration from the environment, until SIGTERM. */
import { startAgent } from './agent.ts';
import { logToStandardOutput as log } from './log.ts';
import { agentConfigurationVariable, parseAgentConfiguration } from './protocol.ts';

const fail = (error: unknown): void => {
  log('error', error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
};

try {
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
} catch (error) {
  fail(error);
}
