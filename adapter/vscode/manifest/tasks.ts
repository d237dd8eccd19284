/** `contributes.taskDefinitions` and `contributes.problemMatchers`. */
import { problemMatcher, taskType } from '../identifiers.ts';
import { ownProperties } from './debugger.ts';

/** What only a debug session needs. */
const ofDebugging: ReadonlySet<string> = new Set(['delegate', 'debugAdapter', 'mode']);

export const taskDefinition = {
  type: taskType,
  required: [],
  properties: {
    action: {
      type: 'string',
      enum: ['connect', 'disconnect'],
      enumDescriptions: [
        'Puts this computer in place of the target, until the task or debugging ends.',
        'Undoes it. Without a target: all that this window holds.',
      ],
      default: 'connect',
      description: 'Whether the task connects or disconnects.',
    },
    ...Object.fromEntries(Object.entries(ownProperties()).filter(([key]) => !ofDebugging.has(key))),
  },
};

/**
 * A line `error (CODE): …` is a problem, whose place is the code: VS Code wants one. It must not be an end too, for VS Code
 * does not look for problems in a line that is; the end of the task says enough. With a problem it does not start debugging.
 */
export const matcher = {
  name: problemMatcher,
  label: 'Kubernetes Local',
  owner: problemMatcher,
  source: problemMatcher,
  applyTo: 'allDocuments',
  fileLocation: ['relative', `\${workspaceFolder}/.vscode`],
  severity: 'error',
  pattern: { regexp: '^error \\(([a-z-]+)\\): (.*)$', kind: 'file', file: 1, message: 2 },
  background: {
    activeOnStart: true,
    beginsPattern: '^Connecting to ',
    endsPattern: '^Ready\\.',
  },
};
