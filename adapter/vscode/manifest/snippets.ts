/** The launch configurations that VS Code offers: one for each language. */

/** A place to fill in, and the text that stands there at first. */
const service = `\${1:cart}`;

/** A variable of VS Code, which is no place to fill in. */
const folder = `\${workspaceFolder}`;
const workspace = `\\${folder}`;

interface Snippet {
  readonly label: string;
  readonly description: string;
  readonly body: Readonly<Record<string, unknown>>;
}

function snippet(language: string, debuggerName: string, delegate: Readonly<Record<string, unknown>>): Snippet {
  return {
    label: `Kubernetes Local: ${language}`,
    description: `Debug a service with ${debuggerName} on this computer, in place of the cluster's.`,
    body: {
      type: 'kubernetes-local',
      request: 'launch',
      name: `${service} in the cluster`,
      target: `service/${service}`,
      delegate,
    },
  };
}

/** `contributes.debuggers[].configurationSnippets`. */
export const configurationSnippets: readonly Snippet[] = [
  snippet('Python', 'debugpy', {
    type: 'debugpy',
    request: 'launch',
    program: `${workspace}/\${2:main.py}`,
    cwd: workspace,
    console: 'integratedTerminal',
  }),
  snippet('Node.js', 'VS Code’s own debugger', {
    type: 'node',
    request: 'launch',
    program: `${workspace}/\${2:main.js}`,
    cwd: workspace,
    skipFiles: ['<node_internals>/**'],
  }),
  snippet('Go', 'Delve', { type: 'go', request: 'launch', mode: 'auto', program: workspace }),
  snippet('C, C++ or Rust', 'lldb-dap', {
    type: 'lldb-dap',
    request: 'launch',
    program: `${workspace}/\${2:build/cart}`,
    args: [],
    cwd: workspace,
  }),
  snippet('Ruby', 'rdbg', {
    type: 'rdbg',
    request: 'launch',
    script: `${workspace}/\${2:app.rb}`,
    args: [],
    cwd: workspace,
  }),
  snippet('.NET', 'VS Code’s debugger for C#, or netcoredbg', {
    type: 'coreclr',
    request: 'launch',
    program: `${workspace}/\${2:bin/Debug/net8.0/cart.dll}`,
    cwd: workspace,
  }),
];

/** What a new launch.json begins with. */
export const initialConfigurations = [
  {
    type: 'kubernetes-local',
    request: 'launch',
    name: 'cart in the cluster',
    target: 'service/cart',
    delegate: {
      type: 'debugpy',
      request: 'launch',
      program: `${folder}/main.py`,
      cwd: folder,
      console: 'integratedTerminal',
    },
  },
] as const;
