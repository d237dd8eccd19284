/** `contributes.configuration`. */
import { category, settingsSection } from '../identifiers.ts';

const properties = {
  disconnectAfterDebugging: {
    type: 'boolean',
    default: true,
    markdownDescription:
      'Whether the connection ends with the last debug session that uses it. Otherwise it stands until **Kubernetes Local: Disconnect**, or until the window closes. It holds for debuggers of VS Code, and for tasks before a debug session.',
  },
  keepSeconds: {
    type: 'number',
    default: 5,
    minimum: 0,
    maximum: 30,
    description: 'How long a connection waits for the next debug session before everything is undone, in seconds.',
  },
  debugger: {
    type: 'string',
    enum: ['auto', 'own', 'vscode'],
    default: 'auto',
    enumDescriptions: [
      'VS Code’s own debugger where it is the better one (Node.js, Python, C#, Java), otherwise the debug adapter of Kubernetes Local.',
      'Always the debug adapter of Kubernetes Local, which starts the real one.',
      'The debugger of VS Code or of an extension, wherever there is one for the type.',
    ],
    description: 'Which way to the real debugger is taken.',
  },
  agentImage: {
    type: 'string',
    default: '',
    markdownDescription:
      'The image of the agent that stands in for the container, where a launch configuration or task names none. See `docs/agent-image.md`.',
    scope: 'resource',
  },
  kubeconfig: {
    type: 'string',
    default: '',
    markdownDescription:
      'The kubeconfig file, where a launch configuration or task names none. Default: the variable `KUBECONFIG`, else `~/.kube/config`. A leading `~` is your home folder.',
    scope: 'machine-overridable',
  },
  node: {
    type: 'string',
    default: '',
    markdownDescription:
      'The Node.js that runs the debug adapter and the session, version 22.19 or later. Default: the one that VS Code runs extensions with, or `node` of the `PATH`.',
    scope: 'machine',
  },
} as const;

export const configuration = {
  title: category,
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, property], order) => [`${settingsSection}.${name}`, { ...property, order }]),
  ),
};
