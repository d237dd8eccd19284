/** The names by which VS Code knows this extension and its parts. Imports nothing, so that everybody may. */

export const publisher = 'kubernetes-local';
export const extensionName = 'kubernetes-local';
/** The least version of VS Code; @types/vscode is of the same. */
export const vscodeVersion = '^1.107.0';

/** The title before every command, of the view and of the output channel. */
export const category = 'Kubernetes Local';

export const debugType = 'kubernetes-local';
export const taskType = 'kubernetes-local';
export const problemMatcher = 'kubernetes-local';
export const sessionsView = 'kubernetes-local.sessions';
/** The section of all settings. */
export const settingsSection = 'kubernetes-local';

/** All commands, by what they do. */
export const commands = {
  configure: 'kubernetes-local.configure',
  connect: 'kubernetes-local.connect',
  disconnect: 'kubernetes-local.disconnect',
  restore: 'kubernetes-local.restore',
  diagnose: 'kubernetes-local.diagnose',
  doctor: 'kubernetes-local.doctor',
  menu: 'kubernetes-local.menu',
  remedy: 'kubernetes-local.remedy',
  refresh: 'kubernetes-local.refresh',
  copyValue: 'kubernetes-local.copyValue',
  revealSecret: 'kubernetes-local.revealSecret',
} as const;

/** The key that we add to configurations of other debuggers, and under which all that is ours stands in them. */
export const markerKey = '__kubernetesLocal';
