import { describe, expect, it } from 'vitest';
import { commands } from '../identifiers.ts';
import { viewMenus } from './menus.ts';
import { viewsWelcome } from './welcome.ts';

/** The commands that VS Code would show for a node of this kind, inline or not. */
function offered(kind: string, group: RegExp): string[] {
  return viewMenus['view/item/context']
    .filter((item) => group.test(item.group))
    .filter(({ when }) => {
      const pattern = /viewItem =~ \/(.*)\/$/.exec(when)?.[1];
      return pattern !== undefined && new RegExp(pattern).test(kind);
    })
    .map(({ command }) => command);
}

describe('viewMenus', () => {
  it('offers for each kind of node what can be done with it, inline and in the menu that the keyboard reaches', () => {
    for (const group of [/^inline/, /^1_/]) {
      expect(offered('sessionHeld', group)).toEqual([commands.diagnose, commands.disconnect]);
      expect(offered('sessionInterrupted', group)).toEqual([commands.restore]);
      expect(offered('secretHidden', group)).toEqual([commands.revealSecret, commands.copyValue]);
      expect(offered('variable', group)).toEqual([commands.copyValue]);
      expect(offered('group', group)).toEqual([]);
      expect(offered('sessionBusy', group)).toEqual([]);
    }
  });

  it('uses commands that there are', () => {
    const known: readonly string[] = Object.values(commands);
    const used = Object.values(viewMenus).flatMap((items) => items.map(({ command }) => command));
    expect(used.filter((command) => !known.includes(command))).toEqual([]);
  });
});

describe('viewsWelcome', () => {
  it('has its links alone in their lines, which makes them buttons', () => {
    const links = viewsWelcome.flatMap(({ contents }) => contents.split('\n')).filter((line) => line.includes(']('));
    expect(links.filter((line) => !/^\[[^\]]+\]\(command:[\w.-]+\)$/.test(line))).toEqual([]);
    expect(links).toContain(`[Configure](command:${commands.configure})`);
  });
});
