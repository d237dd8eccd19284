/** A screen of its own for an editor: Xvfb, with the keys of xdotool and the pictures of ImageMagick. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { run } from '../../cluster/run.ts';

/** Debian's packages for screens, keys and pictures. */
export const displayPackages = ['xvfb', 'xdotool', 'imagemagick', 'fonts-dejavu-core'] as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

export class Display implements AsyncDisposable {
  readonly #server: ReturnType<typeof spawn>;
  /** The value of DISPLAY. */
  readonly name: string;

  private constructor(server: ReturnType<typeof spawn>, name: string) {
    this.#server = server;
    this.name = name;
  }

  /** Starts a screen under a number that is free. */
  static async start({ width, height }: Size): Promise<Display> {
    const server = spawn(
      'Xvfb',
      ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
    );
    const pipe = server.stdio[3];
    if (!pipe || !('read' in pipe)) throw new Error('Xvfb has no pipe for its number.');
    const ended = once(server, 'exit').then(() => {
      throw new Error('Xvfb ended at once.');
    });
    ended.catch(() => {});
    const [number] = await Promise.race([once(createInterface({ input: pipe }), 'line'), ended]);
    return new Display(server, `:${number}`);
  }

  /** The visible windows that a process or its children have opened: their ids. */
  async windowsOf(pid: number): Promise<readonly string[]> {
    return (await this.#xdotool(['search', '--onlyvisible', '--pid', String(pid)], [0, 1])).split('\n').filter(Boolean);
  }

  /** Gives the keyboard to a window. */
  async focus(window: string): Promise<void> {
    await this.#xdotool(['windowfocus', '--sync', window]);
  }

  async resize(window: string, { width, height }: Size): Promise<void> {
    await this.#xdotool([
      'windowmove',
      window,
      '0',
      '0',
      'windowsize',
      '--sync',
      window,
      String(width),
      String(height),
    ]);
  }

  /** Presses keys, one after another, named as X names them: `F9`, `ctrl+Home`, `Return`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#xdotool(['key', '--delay', '40', ...keys]);
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    await this.#xdotool(['type', '--delay', '25', text]);
  }

  async click(x: number, y: number, button = 1): Promise<void> {
    await this.#xdotool(['mousemove', String(x), String(y), 'click', String(button)]);
  }

  /** Moves what is at a place to another one. */
  async drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const [[x, y], [newX, newY]] = [from.map(String), to.map(String)] as const;
    await this.#xdotool(['mousemove', x ?? '', y ?? '', 'mousedown', '1']);
    await this.#xdotool(['mousemove', newX ?? '', newY ?? '', 'mouseup', '1']);
  }

  /** A picture of the screen, or of its upper left part. */
  async picture(file: string, { width, height }: Size): Promise<void> {
    await run(['import', '-window', 'root', '-crop', `${width}x${height}+0+0`, '+repage', '-strip', file], {
      env: this.#environment,
    });
    // As many colours as an editor's window has; a quarter of the bytes.
    await run(['mogrify', '+dither', '-colors', '128', '-define', 'png:compression-level=9', file]);
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, DISPLAY: this.name };
  }

  async #xdotool(args: readonly string[], accept: readonly number[] = [0]): Promise<string> {
    return (await run(['xdotool', ...args], { env: this.#environment, accept })).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGTERM');
    await ended;
  }
}
