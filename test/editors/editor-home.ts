/**
 * A home folder for an editor, as a user has one: `kubernetes-local` on PATH, a program, and nothing of the computer's
 * own user. The variables that belong to a test's world reach the product alone, not the editor.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cartProgram } from '../apps/shop/shop.ts';

export interface EditorHome extends Disposable {
  readonly folder: string;
  /** The program that is debugged: a copy of the shop's cart. */
  readonly program: string;
  /** For the editor's process. */
  readonly environment: NodeJS.ProcessEnv;
  /** Writes a file below the home folder; returns its path. */
  write(path: string, text: string): string;
}

/** Makes it. `command` starts the product, `variables` are for the product. */
export function openEditorHome(
  command: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): EditorHome {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-home-'));
  const write = (path: string, text: string) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const exported = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const script = ['#!/bin/sh', ...exported, `exec ${command.map(quoted).join(' ')} "$@"`, ''];
  chmodSync(write('bin/kubernetes-local', script.join('\n')), 0o700);
  mkdirSync(join(folder, 'run'), { mode: 0o700 });
  const program = write('cart/main.py', '');
  copyFileSync(cartProgram, program);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(KUBE|XDG_|DBUS_|DISPLAY|VIRTUAL_ENV)/.test(name),
  );
  return {
    folder,
    program,
    environment: {
      ...Object.fromEntries(inherited),
      HOME: folder,
      XDG_RUNTIME_DIR: join(folder, 'run'),
      LANG: 'C.UTF-8',
      // Another Python may come first on PATH, without debugpy.
      PATH: `${join(folder, 'bin')}:/usr/bin:${process.env.PATH}`,
    },
    write,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
