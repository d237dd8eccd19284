/** The settings of this extension, read when they are needed: they may change at any time. */
import * as vscode from 'vscode';
import type { DebuggerChoice } from './debug/route.ts';
import { settingsSection } from './identifiers.ts';
import { substituted } from './substitute.ts';

/** Nothing of a user is trusted to be of the right type: settings.json is a file. */
function read<T>(name: string, fallback: T, isFine: (value: unknown) => value is T): T {
  const value: unknown = vscode.workspace.getConfiguration(settingsSection).get(name);
  return isFine(value) ? value : fallback;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isChoice = (value: unknown): value is DebuggerChoice => value === 'auto' || value === 'own' || value === 'vscode';
const isSeconds = (value: unknown): value is number => typeof value === 'number' && value >= 0;
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';

export const settings = {
  /** Which Node runs our command line; empty: the one that is found. */
  node: () => substituted(read('node', '', isText)),
  debugger: () => read('debugger', 'auto', isChoice),
  disconnectAfterDebugging: () => read('disconnectAfterDebugging', true, isFlag),
  keepMilliseconds: () => read('keepSeconds', 5, isSeconds) * 1_000,
  agentImage: () => read('agentImage', '', isText),
  kubeconfig: () => substituted(read('kubeconfig', '', isText)),
};

/** The configuration with the settings where it says nothing itself. */
export function withSettings<T extends object>(configuration: T): T {
  const agentImage = settings.agentImage();
  const kubeconfig = settings.kubeconfig();
  return {
    ...(agentImage !== '' && { agentImage }),
    ...(kubeconfig !== '' && { kubeconfig }),
    ...configuration,
  };
}
