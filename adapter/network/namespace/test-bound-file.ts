/** Does what the lines of its standard input say to a BoundFile, in a mount namespace of its own; for tests. */
import { createInterface } from 'node:readline';
import { BoundFile } from './bound-file.ts';
import { findTool } from './tools.ts';

const [, , target = '', source = ''] = process.argv;
const file = new BoundFile({ target, source, mount: findTool('mount') ?? '', umount: findTool('umount') ?? '' });
for await (const line of createInterface({ input: process.stdin })) {
  await file.show(Buffer.from(JSON.parse(line)));
  process.stdout.write('shown\n');
}
