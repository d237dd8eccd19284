/**
 * Addresses of 127.0.0.0/8 on the loopback interface, where only 127.0.0.1 is there by itself (macOS). Only those that
 * were added here are removed again: another program's may have the same purpose. Not tried on macOS.
 */
import { Problem } from '../../problem.ts';
import { platformCommands } from './platform-commands.ts';
import { type RunCommand, runCommand } from './run-command.ts';

export class LoopbackAliases {
  readonly #commands;
  readonly #run: RunCommand;
  readonly #added = new Set<string>();

  constructor(platform: NodeJS.Platform = process.platform, run: RunCommand = runCommand) {
    this.#commands = platformCommands(platform).aliases;
    this.#run = run;
  }

  /** How many addresses this object has to remove again. */
  get size(): number {
    return this.#added.size;
  }

  /** Adds those that are not there, and removes those that were added here before and are not among them. Problem privileges-needed. */
  async set(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const wanted = new Set(addresses);
    await this.remove(
      [...this.#added].filter((address) => !wanted.has(address)),
      signal,
    );
    await this.add(addresses, signal);
  }

  /** Adds those that are not there. Problem privileges-needed; what was added until then stays for `remove`. */
  async add(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.#commands === undefined || addresses.length === 0) return;
    const there = addressesIn((await this.#execute(this.#commands.list, signal)).stdout);
    for (const address of new Set(addresses)) {
      if (there.has(address)) continue;
      await this.#execute(this.#commands.add(address), signal);
      this.#added.add(address);
    }
  }

  /** Removes those of the addresses that were added here; one that somebody else removed meanwhile is none. Problem privileges-needed. */
  async remove(addresses: Iterable<string>, signal: AbortSignal): Promise<void> {
    if (this.#commands === undefined) return;
    const wanted = [...addresses].filter((address) => this.#added.has(address));
    if (wanted.length === 0) return;
    const there = addressesIn((await this.#execute(this.#commands.list, signal)).stdout);
    for (const address of wanted) {
      if (there.has(address)) await this.#execute(this.#commands.remove(address), signal);
      this.#added.delete(address);
    }
  }

  /** Removes all that were added here. Problem privileges-needed. */
  removeAll(signal: AbortSignal): Promise<void> {
    return this.remove([...this.#added], signal);
  }

  async #execute(command: Parameters<RunCommand>[0], signal: AbortSignal) {
    const end = await this.#run(command, signal);
    if (end.code === 0) return end;
    throw new Problem({
      code: 'privileges-needed',
      what: 'The loopback interface could not be changed.',
      why: `"${command.join(' ')}" failed: ${end.stderr.trim() || `exit code ${end.code}`}`,
      remedy: 'Try again as an administrator, or choose another "network" mode.',
    });
  }
}

function addressesIn(listing: string): ReadonlySet<string> {
  return new Set([...listing.matchAll(/^\s*inet (\d+(?:\.\d+){3})\b/gm)].flatMap(([, address]) => address ?? []));
}
