/** Chromium, driven by Playwright. */
import { type Browser, chromium } from 'playwright-core';

/** Starts it without a window. Root needs it without its sandbox. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}
