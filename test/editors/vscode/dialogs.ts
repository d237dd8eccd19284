/** Dialogs of VS Code that ask for a file. */
import { until } from './until.ts';
import type { Workbench } from './workbench.ts';

/** Answers the dialog of this title with a path. While it looks into a folder it hears no Enter, and writes its own path. */
export async function saveAs(window: Workbench, title: RegExp, path: string): Promise<void> {
  await window.question(title);
  const dialog = window.page.locator('.quick-input-widget');
  await dialog.locator('.monaco-list-row').first().waitFor();
  const input = dialog.locator('input').first();
  await until(
    async () => {
      if (!(await dialog.isVisible())) return true;
      if ((await input.inputValue()) === path) await window.press('Enter');
      else await input.fill(path);
      return undefined;
    },
    () => `the end of the dialog ${title}`,
  );
}
