/** The extension's package.json, made from this project's own, the launch schema and the parts in this folder. */
import packageFile from '../../../package.json' with { type: 'json' };
import { category, debugType, extensionName, publisher, sessionsView, vscodeVersion } from '../identifiers.ts';
import { viewMenus } from '../view/menus.ts';
import { viewsWelcome } from '../view/welcome.ts';
import { commandContributions, paletteMenu } from './commands.ts';
import { breakpointLanguages, debuggerContribution } from './debugger.ts';
import { configuration } from './settings.ts';
import { matcher, taskDefinition } from './tasks.ts';

/** What a repository address or issue tracker of package.json becomes, if it has one. */
function links(): object {
  const { repository, bugs, homepage } = packageFile as Readonly<Record<string, unknown>>;
  return {
    ...(repository !== undefined && { repository }),
    ...(bugs !== undefined && { bugs }),
    ...(homepage !== undefined && { homepage }),
  };
}

/** The whole manifest, as VS Code reads it. */
export function extensionManifest() {
  const { version, license, description } = packageFile;
  return {
    name: extensionName,
    displayName: category,
    description,
    version,
    publisher,
    license,
    ...links(),
    icon: 'icon.png',
    galleryBanner: { color: '#0b3d6b', theme: 'dark' },
    categories: ['Debuggers', 'Testing', 'Other'],
    keywords: ['kubernetes', 'debug', 'microservice', 'service', 'cluster'],
    engines: { vscode: vscodeVersion },
    main: './dist/extension.cjs',
    // Where the workspace is, for there are the program, the kubeconfig and the hosts file.
    extensionKind: ['workspace'],
    capabilities: {
      untrustedWorkspaces: { supported: false, description: 'Debugging runs the programs of the workspace.' },
      virtualWorkspaces: { supported: false, description: 'Programs and their debuggers need files on a disk.' },
    },
    activationEvents: [
      // The status bar says so if a session stands, or an earlier one was interrupted.
      'onStartupFinished',
      `onDebugResolve:${debugType}`,
      'onDebugInitialConfigurations',
      `onDebugDynamicConfigurations:${debugType}`,
      // The debuggers of others get the environment of a connection that a task has made.
      'onDebug',
    ],
    contributes: {
      debuggers: [debuggerContribution()],
      breakpoints: breakpointLanguages.map((language) => ({ language })),
      taskDefinitions: [taskDefinition],
      problemMatchers: [matcher],
      commands: commandContributions,
      menus: { commandPalette: paletteMenu, ...viewMenus },
      views: {
        debug: [
          { id: sessionsView, name: category, contextualTitle: category, icon: 'icon.svg', visibility: 'collapsed' },
        ],
      },
      viewsWelcome,
      configuration,
    },
  };
}
