/** Runs kubectl against one cluster. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export class Kubectl {
  readonly argv: readonly string[];

  /** `argv` starts kubectl with everything that names the cluster. */
  constructor(argv: readonly string[]) {
    this.argv = argv;
  }

  /** Its standard output; a failure is an Error with its standard error. */
  async run(args: readonly string[], input = ''): Promise<string> {
    const [command = 'kubectl', ...prefix] = this.argv;
    const child = spawn(command, [...prefix, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {}).end(input);
    const [output, errors, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
    ]);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${errors.trim() || output.trim()}`);
    return output;
  }

  /** The answer of a `get` as JSON. */
  async json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.run([...args, '-o', 'json']));
  }
}
