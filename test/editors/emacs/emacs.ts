/** Emacs as a user has it: in a terminal on a screen, driven by keys. What it shows is read by emacsclient. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../cluster/run.ts';
import type { EditorHome } from '../editor-home.ts';
import { Display, displayPackages } from '../screen/display.ts';
import { until } from '../until.ts';

export const emacsPackages = ['emacs-nox', 'elpa-dap-mode', 'xterm', ...displayPackages] as const;

export const emacsSize = { width: 1200, height: 750 } as const;

export class Emacs implements AsyncDisposable {
  readonly #terminal: ReturnType<typeof spawn>;
  readonly #home: EditorHome;
  readonly display: Display;

  private constructor(terminal: ReturnType<typeof spawn>, home: EditorHome, display: Display) {
    this.#terminal = terminal;
    this.#home = home;
    this.display = display;
  }

  /** Starts it with a file and the home's init.el, to which a server for emacsclient is added. */
  static async start(home: EditorHome, file: string): Promise<Emacs> {
    const server = home.write('server.el', '(setq server-socket-dir (getenv "XDG_RUNTIME_DIR"))(server-start)\n');
    const display = await Display.start(emacsSize);
    const font = ['-fa', 'DejaVu Sans Mono', '-fs', '10'];
    const colours = ['-bg', '#101418', '-fg', '#e6e6e6'];
    const terminal = spawn(
      'xterm',
      ['-tn', 'xterm-256color', '-b', '4', ...font, ...colours, '+sb', '-e', 'emacs', '-nw', '--load', server, file],
      { cwd: home.folder, env: { ...home.environment, DISPLAY: display.name }, stdio: 'ignore' },
    );
    const emacs = new Emacs(terminal, home, display);
    try {
      const window = await until('a window of xterm', async () => (await display.windowsOf(terminal.pid ?? 0))[0]);
      await display.resize(window, emacsSize);
      await display.focus(window);
      await until(
        'Emacs with the file',
        async () => (await emacs.evaluate('(buffer-file-name (window-buffer))')) === `"${file}"`,
      );
      return emacs;
    } catch (error) {
      await emacs[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What an expression evaluates to, printed; undefined if Emacs cannot be asked (yet) or the expression fails. */
  async evaluate(expression: string): Promise<string | undefined> {
    const socket = join(this.#home.folder, 'run', 'server');
    const { stdout, code } = await run(
      ['timeout', '10', 'emacsclient', '--socket-name', socket, '--eval', expression],
      { env: this.#home.environment, accept: [0, 1, 124] },
    );
    return code === 0 ? stdout.trimEnd() : undefined;
  }

  /** Runs a command as a user does who knows its name: M-x NAME, and the answers to what it asks. */
  async command(name: string, ...answers: readonly string[]): Promise<void> {
    for (const [index, text] of [name, ...answers].entries()) {
      if (index === 0) await this.display.press('Escape', 'x');
      const asked = index === 0 ? 'M-x' : `question ${index} of ${name}`;
      await until(asked, async () => (await this.evaluate('(and (active-minibuffer-window) t)')) === 't');
      await this.display.type(text);
      await this.display.press('Return');
    }
  }

  /** Moves to the line with this code. */
  async goToLineOf(code: string): Promise<void> {
    await this.display.press('Escape', 'less');
    await this.display.press('ctrl+s');
    await this.display.type(code);
    await this.display.press('Return');
  }

  /** Waits until one of the windows shows this. */
  async shows(wanted: RegExp): Promise<void> {
    await until(`${wanted}`, async () => wanted.test(await this.#windows()), { seen: () => this.#windows() });
  }

  /** Waits until a buffer holds this text. */
  async hasBuffer(buffer: string, text: string): Promise<void> {
    const content = `(with-current-buffer "${buffer}" (buffer-string))`;
    await until(`${text} in ${buffer}`, async () => (await this.evaluate(content))?.includes(text), {
      seen: async () => (await this.evaluate('(with-current-buffer "*Messages*" (buffer-string))')) ?? 'nothing',
    });
  }

  /** Waits until an expression evaluates to this. */
  async says(expression: string, wanted: string): Promise<void> {
    await until(`${expression} to be ${wanted}`, async () => (await this.evaluate(expression)) === wanted);
  }

  /** The text of all windows, as far as it is scrolled into view. */
  async #windows(): Promise<string> {
    const text = '(buffer-substring-no-properties (window-start w) (window-end w t))';
    const all = `(mapconcat (lambda (w) (with-current-buffer (window-buffer w) ${text})) (window-list) "\\n\\n")`;
    const printed = await this.evaluate(all);
    return printed === undefined ? '' : printed.replaceAll('\\n', '\n').replaceAll('\\"', '"');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = () => this.#terminal.exitCode !== null || this.#terminal.signalCode !== null;
    if (!gone()) {
      const ended = once(this.#terminal, 'exit');
      await this.evaluate('(kill-emacs)');
      await Promise.race([ended, delay(5_000)]);
      if (!gone()) this.#terminal.kill('SIGTERM');
      await ended;
    }
    await this.display[Symbol.asyncDispose]();
  }
}
