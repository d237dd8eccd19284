/** Kate on a screen of its own, driven by keys and mouse. What it shows is read as a screen reader does (AT-SPI). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { run } from '../../cluster/run.ts';
import type { EditorHome } from '../editor-home.ts';
import { Display, displayPackages } from '../screen/display.ts';
import { until } from '../until.ts';

export const katePackages = [
  'kate',
  'breeze-icon-theme',
  'dbus',
  'at-spi2-core',
  'python3-pyatspi',
  ...displayPackages,
] as const;

export const kateSize = { width: 1200, height: 750 } as const;

const elementsSchema = z.array(
  z.object({
    role: z.string(),
    name: z.string(),
    text: z.string(),
    x: z.number(),
    y: z.number(),
    width: z.number(),
    height: z.number(),
  }),
);
type Element = z.infer<typeof elementsSchema>[number];

const reader = join(import.meta.dirname, 'accessible.py');

export class Kate implements AsyncDisposable {
  readonly #started: ChildProcess[] = [];
  readonly #environment: NodeJS.ProcessEnv;
  readonly display: Display;

  private constructor(display: Display, environment: NodeJS.ProcessEnv) {
    this.display = display;
    this.#environment = environment;
  }

  /** Starts it with a file, and with the plugin for debugging, as in Settings > Configure Kate > Plugins. */
  static async start(home: EditorHome, file: string): Promise<Kate> {
    home.write('.local/share/kate/anonymous.katesession', '[Kate Plugins]\nkategdbplugin=true\n');
    const display = await Display.start(kateSize);
    const kate = new Kate(display, {
      ...home.environment,
      DISPLAY: display.name,
      QT_LINUX_ACCESSIBILITY_ALWAYS_ON: '1',
    });
    try {
      await kate.#startBus();
      const editor = kate.#start('kate', ['--startanon', file], home.folder);
      const window = await until('a window of Kate', async () => (await display.windowsOf(editor.pid ?? 0))[0]);
      await display.resize(window, kateSize);
      await display.focus(window);
      await kate.element('menu item', 'Debug');
      return kate;
    } catch (error) {
      await kate[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** All that can be seen. Empty while nothing can be read (yet). */
  async elements(): Promise<readonly Element[]> {
    const { stdout, code } = await run(['timeout', '20', '/usr/bin/python3', reader], {
      env: this.#environment,
      accept: [0, 1, 124],
    });
    return code === 0 ? elementsSchema.parse(JSON.parse(stdout)) : [];
  }

  /** Waits for an element; a Kate that has started draws the rest of its window later. */
  async element(role: string, name: string | RegExp): Promise<Element> {
    const matches = (element: Element) =>
      element.role === role &&
      element.width > 0 &&
      (typeof name === 'string' ? element.name === name : name.test(element.name));
    return until(`${role} ${name}`, async () => (await this.elements()).find(matches), {
      limit: 30_000,
      seen: () => this.shown(),
    });
  }

  async click(role: string, name: string | RegExp): Promise<void> {
    const { x, y, width, height } = await this.element(role, name);
    await this.display.click(x + width / 2, y + height / 2);
  }

  /** Chooses from the menu Debug. */
  async debug(action: string): Promise<void> {
    await this.click('menu item', 'Debug');
    await this.click('menu item', action);
  }

  /** Chooses from a list, by typing how its line begins. */
  async choose(shown: string, wanted: string): Promise<void> {
    await this.click('combo box', shown);
    await this.element('list item', wanted);
    await this.display.type(wanted);
    await this.display.press('Return');
    await this.element('combo box', wanted);
  }

  /** Opens the view of variables and stack, at the right, and makes it wide enough for values. */
  async showLocals(): Promise<void> {
    const view = (await this.elements()).findLast(
      ({ role, name, x, width, height }) =>
        role === 'check box' && name === '' && x > kateSize.width / 2 && width > 0 && height > 30,
    );
    if (!view) throw new Error(`No button for the view of variables:\n${await this.shown()}`);
    await this.display.click(view.x + view.width / 2, view.y + view.height / 2);
    const { x } = await this.element('table column header', 'Symbol');
    await this.display.drag([x - 3, kateSize.height / 2], [x - 160, kateSize.height / 2]);
  }

  /** Waits until the view of variables has this one. Its value there is drawn, and not offered to screen readers. */
  async showsVariable(name: string): Promise<void> {
    await this.element('table cell', name);
  }

  /** What an expression evaluates to, by the command line of the debug view. */
  async print(expression: string): Promise<string> {
    const answer = `\n(${expression}) = `;
    const inputs = (await this.elements()).filter(
      ({ role, name, height }) => role === 'text' && name === '' && height > 0,
    );
    const input = inputs.find(({ height }) => height < 30);
    if (!input) throw new Error(`No command line in the debug view:\n${await this.shown()}`);
    await this.display.click(input.x + input.width / 2, input.y + input.height / 2);
    await this.display.type(`print ${expression}`);
    await this.display.press('Return');
    await this.shows(answer);
    const [, after = ''] = (await this.shown()).split(answer);
    return after.split('\n')[0] ?? '';
  }

  async goToLine(file: string, line: number): Promise<void> {
    await this.click('text', file);
    await this.display.press('ctrl+g');
    await this.display.type(String(line));
    await this.display.press('Return');
    await this.element('push button', new RegExp(`^${line}:`));
  }

  /** Names and texts of all that can be seen, line by line. */
  async shown(): Promise<string> {
    return (await this.elements())
      .flatMap(({ name, text }) => [name, text])
      .filter(Boolean)
      .join('\n');
  }

  /** Waits until this is seen. */
  async shows(wanted: string | RegExp, limit?: number): Promise<void> {
    const found = (text: string) => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
    await until(`${wanted}`, async () => found(await this.shown()), {
      ...(limit !== undefined && { limit }),
      seen: () => this.shown(),
    });
  }

  /** A message bus of its own, on which Kate offers what a screen reader reads. */
  async #startBus(): Promise<void> {
    const bus = this.#start('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address=1']);
    if (!bus.stdout) throw new Error('The message bus has no output.');
    const [address] = await once(createInterface({ input: bus.stdout }), 'line');
    this.#environment.DBUS_SESSION_BUS_ADDRESS = String(address);
  }

  #start(program: string, args: readonly string[], cwd?: string): ChildProcess {
    const child = spawn(program, args, {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(cwd !== undefined && { cwd }),
    });
    child.stdout?.on('data', () => {});
    this.#started.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await Promise.race([ended, delay(5_000).then(() => child.kill('SIGKILL'))]);
      await ended;
    }
    await this.display[Symbol.asyncDispose]();
  }
}
