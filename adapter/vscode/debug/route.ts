/** The two ways to the real debugger: by our own debug adapter, or by VS Code itself, which has a debugger of that type. */
import { knownTypes } from '../../debuggers/registry.ts';

/** As the setting `kubernetes-local.debugger`. */
export type DebuggerChoice = 'auto' | 'own' | 'vscode';

export type Route =
  | { readonly way: 'own' }
  /** `type` is what VS Code calls it. */
  | { readonly way: 'vscode'; readonly type: string };

export interface RouteQuestion {
  /** `delegate.type`. */
  readonly type: string;
  /** The configuration says itself how its debug adapter is started. */
  readonly hasDebugAdapter: boolean;
  readonly choice: DebuggerChoice;
  /** The types for which VS Code has a debugger. */
  readonly inEditor: ReadonlySet<string>;
}

/** What VS Code brings or most people have installed, and knows more about than our own debug adapter can. */
const betterInEditor: ReadonlySet<string> = new Set([
  'node',
  'pwa-node',
  'js-debug',
  'python',
  'debugpy',
  'coreclr',
  'java',
]);

/** Names of ours that VS Code does not know. */
const editorNames: Readonly<Record<string, string>> = { 'js-debug': 'pwa-node', netcoredbg: 'coreclr' };

/** Which way is taken. One that VS Code does not have goes through our own, which says what to install. */
export function routeOf({ type, hasDebugAdapter, choice, inEditor }: RouteQuestion): Route {
  const named = inEditor.has(type) ? type : (editorNames[type] ?? type);
  if (!inEditor.has(named) || hasDebugAdapter || choice === 'own') return { way: 'own' };
  const isOurs = knownTypes().includes(type);
  if (choice === 'vscode' || !isOurs || betterInEditor.has(type)) return { way: 'vscode', type: named };
  return { way: 'own' };
}
