/** Any debug adapter that we have no profile of: `debugAdapter` of the launch configuration says all there is to know. */
import { Problem } from '../problem.ts';
import { environmentList, environmentObject } from './environment.ts';
import type { DebuggerProfile } from './profile.ts';
import { findProgram } from './program.ts';
import { commandOfUser } from './settings.ts';

export const custom: DebuggerProfile = {
  types: ['custom'],
  title: 'the debug adapter of "debugAdapter"',
  adapterID: 'custom',
  startsAt: 'initialize',
  // What it can do is known when it runs.
  capabilities: {},

  environmentAt: ({ debugAdapter }) => (debugAdapter?.environment === 'process' ? 'start' : 'launch'),

  command({ debugAdapter }) {
    const command = commandOfUser(debugAdapter);
    if (command !== undefined) return command;
    throw new Problem({
      code: 'missing-key',
      what: 'A debugger of type "custom" needs "debugAdapter" beside "delegate".',
      why: 'It says how its debug adapter is started, or where it listens.',
      remedy: 'Add for example "debugAdapter": { "command": ["my-debug-adapter", "--stdio"] } or { "port": 4711 }.',
    });
  },

  async check({ argv }) {
    const [program] = argv;
    if (program === undefined || findProgram(program) !== undefined) return;
    throw new Problem({
      code: 'delegate-missing',
      what: `There is no program ${program} ("command" of "debugAdapter").`,
      why: 'It is neither a file that can be run nor on PATH.',
      remedy: 'Install it, or name it with its full path.',
    });
  },

  request({ args, debugAdapter }, environment, request) {
    const { environment: shape = 'object', environmentKey = 'env' } = debugAdapter ?? {};
    if (request === 'attach' || shape === 'process') return { command: request, arguments: { ...args } };
    const merge = shape === 'list' ? environmentList : environmentObject;
    return { command: request, arguments: { ...args, [environmentKey]: merge(args, environment, environmentKey) } };
  },
};
