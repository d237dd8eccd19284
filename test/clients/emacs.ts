/**
 * A configuration file for dape, read by a real Emacs (Debian's 28, which is too old for dape itself): what it leaves in
 * `dape-configs`. Symbols among the keys are dape's own, keywords go to the debug adapter.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ensurePackages } from '../cluster/packages.ts';

const made = z.object({
  name: z.string(),
  command: z.string(),
  args: z.array(z.string()),
  configuration: z.record(z.string(), z.unknown()),
});

const reader = `
(require 'json)
(require 'seq)
(defvar dape-configs nil)
(provide 'dape)
(load (car command-line-args-left) nil t)
(let* ((config (car dape-configs))
       (keys (cdr config))
       (sent (seq-mapcat (lambda (pair) (and (keywordp (car pair)) pair)) (seq-partition keys 2))))
  (princ (json-encode (list :name (car config)
                            :command (plist-get keys 'command)
                            :args (vconcat (plist-get keys 'command-args))
                            :configuration sent))))
`;

export async function readByEmacs(lisp: string): Promise<z.infer<typeof made>> {
  await ensurePackages(['emacs-nox']);
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-test-'));
  try {
    const file = join(folder, 'kubernetes-local-dape.el');
    writeFileSync(file, lisp);
    const script = join(folder, 'reader.el');
    writeFileSync(script, reader);
    const { stdout } = await promisify(execFile)('emacs', ['-Q', '--batch', '--load', script, file]);
    return made.parse(JSON.parse(stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
