/** What the view says while there is no session, for the manifest. */
import { commands, sessionsView } from '../identifiers.ts';

/** `contributes.viewsWelcome`. A link that is alone in its line is shown as a button. */
export const viewsWelcome = [
  {
    view: sessionsView,
    when: 'workspaceFolderCount != 0',
    contents: [
      'No service of the cluster runs on this computer.',
      `[Configure](command:${commands.configure})`,
      'Choose a Service once, then press F5 to debug it in its place.',
      `[Connect](command:${commands.connect})`,
      'Put this computer in its place without a debugger.',
    ].join('\n'),
  },
  {
    view: sessionsView,
    when: 'workspaceFolderCount == 0',
    contents: [
      'Open the folder of the service first.',
      '[Open Folder](command:workbench.action.files.openFolder)',
    ].join('\n'),
  },
] as const;
