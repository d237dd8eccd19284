/**
 * java-debug, which runs inside the language server (Eclipse JDT LS): https://github.com/microsoft/java-debug.
 * Only a client of that server can have it opened, so the client has to tell us the port.
 */
import { Problem } from '../problem.ts';
import { environmentWithoutNull, withEnvironmentFiles } from './environment.ts';
import type { DebuggerProfile } from './profile.ts';
import { commandOfUser } from './settings.ts';

export const java: DebuggerProfile = {
  types: ['java'],
  title: 'the Java debugger',
  adapterID: 'java',
  startsAt: 'initialize',
  // As in java-debug's InitializeRequestHandler.java; not measured.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsHitConditionalBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportsSetVariable: true,
    supportTerminateDebuggee: true,
    supportsCompletionsRequest: true,
    supportsRestartFrame: true,
    supportsLogPoints: true,
    supportsEvaluateForHovers: true,
    exceptionBreakpointFilters: [
      { label: 'Uncaught Exceptions', filter: 'uncaught' },
      { label: 'Caught Exceptions', filter: 'caught' },
    ],
    supportsExceptionInfoRequest: true,
    supportsDataBreakpoints: true,
    supportsFunctionBreakpoints: true,
    supportsClipboardContext: true,
    supportsBreakpointLocationsRequest: true,
    supportsStepInTargetsRequest: true,
  },

  environmentAt: () => 'launch',

  command({ debugAdapter }) {
    const command = commandOfUser(debugAdapter);
    if (command !== undefined) return command;
    throw new Problem({
      code: 'missing-key',
      what: 'The Java debugger cannot be started from here: "debugAdapter.port" is missing.',
      why: 'It lives in the Java language server, and only the IDE can open it: the command "vscode.java.startDebugSession" returns its port.',
      remedy: 'Have the IDE put that port into "debugAdapter": { "port": … }, beside "delegate".',
    });
  },

  // Whether something listens at the port is found out by connecting.
  check: async () => {},

  request({ args }, environment, request) {
    if (request === 'attach') return { command: request, arguments: { ...args } };
    const env = environmentWithoutNull(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, env } };
  },
};
