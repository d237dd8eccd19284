/** `contributes.commands`, and which of them are in the palette. */
import { category, commands } from '../identifiers.ts';

interface Command {
  readonly command: string;
  readonly title: string;
  readonly category: string;
  readonly icon?: string;
  readonly enablement?: string;
}

const hasFolder = 'workspaceFolderCount != 0';

export const commandContributions: readonly Command[] = [
  { command: commands.configure, title: 'Configure', category, icon: '$(gear)', enablement: hasFolder },
  { command: commands.connect, title: 'Connect', category, icon: '$(plug)' },
  { command: commands.disconnect, title: 'Disconnect', category, icon: '$(debug-disconnect)' },
  { command: commands.restore, title: 'Restore', category, icon: '$(discard)' },
  { command: commands.diagnose, title: 'Show Diagnostic Information', category, icon: '$(output)' },
  { command: commands.doctor, title: 'Check This Computer', category, icon: '$(checklist)' },
  { command: commands.menu, title: 'Show Menu', category },
  { command: commands.refresh, title: 'Refresh', category, icon: '$(refresh)' },
  { command: commands.copyValue, title: 'Copy Value', category, icon: '$(copy)' },
  { command: commands.revealSecret, title: 'Show or Hide Value', category, icon: '$(eye)' },
  { command: commands.remedy, title: 'Do What the Error Message Offers', category },
];

/** They need to be told what of, which only the tree and error messages do. */
const needArgument: readonly string[] = [commands.remedy, commands.copyValue, commands.revealSecret];

/** `contributes.menus.commandPalette`. */
export const paletteMenu = [
  ...needArgument.map((command) => ({ command, when: 'false' })),
  { command: commands.configure, when: hasFolder },
];
