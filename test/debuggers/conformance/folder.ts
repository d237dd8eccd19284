/** A folder for what a test compiles. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'conformance-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
