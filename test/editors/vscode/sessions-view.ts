/** The view "Kubernetes Local" and its context menus, by the keyboard alone. */
import type { Locator } from 'playwright-core';
import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

const title = 'Kubernetes Local';

/** Puts the focus on the view, which VS Code may have to open first. */
export async function focusSessions(window: Workbench): Promise<void> {
  await window.command('Run and Debug: Focus on Kubernetes Local View');
  await window.row(title, /./);
  await until(
    async () => {
      if ((await view(window).locator('.monaco-list:focus-within').count()) > 0) return true;
      await window.command('Run and Debug: Focus on Kubernetes Local View');
      return undefined;
    },
    () => 'the focus on the view',
  );
}

/** Goes to a row by the arrow keys, from the top. Only rows that have room in the view are there to be seen. */
export async function goToRow(window: Workbench, name: RegExp): Promise<void> {
  let before: string | undefined;
  await until(
    async () => {
      const focused = await focusedRow(window);
      if (focused !== undefined && name.test(focused)) return true;
      // At the end, or not there yet.
      await window.press(focused === undefined || focused === before ? 'Home' : 'ArrowDown');
      before = focused;
      return undefined;
    },
    () => `the focus on the row ${name}, only on ${before}`,
  );
}

/** Opens a row that has others beneath it. */
export async function openRow(window: Workbench, name: RegExp): Promise<void> {
  await goToRow(window, name);
  await window.press('ArrowRight');
  await view(window).locator('.monaco-list-row.focused[aria-expanded="true"]').waitFor();
}

/** Takes an entry of the context menu of a row. */
export async function chooseFromMenu(window: Workbench, row: RegExp, entry: RegExp): Promise<void> {
  await goToRow(window, row);
  await window.press('Shift+F10');
  const focused = window.page.locator('.monaco-menu .action-item.focused .action-label');
  await window.page.locator('.monaco-menu').waitFor();
  await until(
    async () => {
      const [label] = await focused.allInnerTexts();
      if (label !== undefined && entry.test(label)) return true;
      await window.press('ArrowDown');
      return undefined;
    },
    () => `${entry} in the menu of ${row}`,
  );
  await window.press('Enter');
  await window.page.locator('.monaco-menu').waitFor({ state: 'hidden' });
}

/** The accessible name of the row that has the focus; undefined if none has. */
async function focusedRow(window: Workbench): Promise<string | undefined> {
  const rows = view(window).locator('.monaco-list-row.focused');
  const names = await rows.evaluateAll((found) => found.map((element) => element.getAttribute('aria-label')));
  return names[0] ?? undefined;
}

function view(window: Workbench): Locator {
  return window.page.locator('.pane').filter({ has: window.page.locator(`.pane-header[aria-label^="${title}"]`) });
}
