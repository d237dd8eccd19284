/**
 * Environment variables of a program that the client starts in a terminal.
 * A client types them into the terminal's command line (VS Code) or drops them (Helix), so they go through a private
 * file instead, which a small launcher reads, deletes, and then becomes the program.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { field, isRaw, type Raw, type Request } from './message.ts';
import { argvAt, type Place } from './place.ts';

/** Runs in the terminal. Stands beside its one-shot file and not in our bundle, so that nothing has to be located. */
const launcher = `
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const { env, cwd } = JSON.parse(readFileSync(join(folder, 'environment.json'), 'utf8'));
rmSync(folder, { recursive: true });
const [program, ...args] = process.argv.slice(2);
delete process.env.ELECTRON_RUN_AS_NODE;
for (const [name, value] of Object.entries(env)) {
  if (value === null) delete process.env[name];
  else process.env[name] = value;
}
if (cwd) process.chdir(cwd);
const executable = (path) => {
  try { accessSync(path, constants.X_OK); return true; } catch { return false; }
};
const candidates = program.includes('/') ? [program] : process.env.PATH.split(delimiter).map((one) => join(one, program));
const found = candidates.find(executable);
if (process.execve && process.platform !== 'win32' && found) {
  process.execve(isAbsolute(found) ? found : join(process.cwd(), found), [program, ...args], process.env);
}
const child = spawn(program, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => { console.error(error.message); process.exit(127); });
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
`;

/** The files made for one session; what was never used goes with it. */
export class TerminalFiles implements Disposable {
  readonly #folders: string[] = [];

  /**
   * The `runInTerminal` request without environment variables on its command line, and led to `place`; the same object
   * if there is nothing to change.
   */
  conceal(request: Request, place?: Place): Raw {
    const given = request.arguments;
    const env = field(given, 'env');
    const args = field(given, 'args');
    if (!isRaw(given) || !Array.isArray(args)) return request;
    const command = argvAt(place, args.map(String));
    if (!isRaw(env) || Object.keys(env).length === 0) {
      return place === undefined ? request : { ...request, arguments: { ...given, args: command } };
    }
    const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-'));
    this.#folders.push(folder);
    const script = join(folder, 'launch.mjs');
    writeFileSync(script, launcher, { mode: 0o600 });
    writeFileSync(join(folder, 'environment.json'), JSON.stringify({ env, cwd: given.cwd }), { mode: 0o600 });
    // Inside an editor this process may be Electron, which is Node only if told so.
    const visible = process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
    return {
      ...request,
      arguments: {
        ...given,
        env: visible,
        args: [process.execPath, '--disable-warning=ExperimentalWarning', script, ...command],
      },
    };
  }

  [Symbol.dispose](): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}
