import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { FileLog } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-log-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps planted secrets out of the file, in every form in which they travel', () => {
  const path = join(folder, 'deep', 'session.log');
  using log = new FileLog(path, 'test');
  const secrets = ['tok_4f9c2b7e61', 'first line of key\nsecond "line" of key'];
  for (const secret of secrets) log.redactor.add(secret);
  for (const secret of secrets) {
    log.write('info', `value ${secret}`, {
      nested: { list: [secret] },
      encoded: Buffer.from(secret).toString('base64'),
      error: new Error(`refused ${secret}`),
    });
  }
  const text = readFileSync(path, 'utf8');
  expect(text.split('\n').filter(Boolean)).toHaveLength(secrets.length);
  for (const form of [
    'tok_4f9c2b7e61',
    'first line of key',
    'of key',
    Buffer.from('tok_4f9c2b7e61').toString('base64'),
  ]) {
    expect(text).not.toContain(form);
  }
  expect(text).toContain('«redacted»');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
