/** Debian's Redis and PostgreSQL as programs of this computer, in place of those of the cluster. */
import { chownSync } from 'node:fs';
import { chmod, copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresqlFiles, postgresqlScript } from '../cluster/images/postgresql.ts';
import { redisPrograms } from './images.ts';
import { startServer } from './programs.ts';

/** A new Redis at this port of 127.0.0.1; disposing ends it. */
export async function startRedis(port: number): Promise<AsyncDisposable> {
  const { folder, undo } = await scratch();
  const program = join(folder, 'redis-server');
  await copyFile(redisPrograms.server, program);
  const server = undo.use(
    startServer([program, '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder]),
  );
  await server.line((line) => line.includes('Ready to accept connections'));
  return undo;
}

/** It refuses to run as root. */
const nobody = 65_534;

/** A new PostgreSQL at this port of 127.0.0.1; disposing ends it. */
export async function startPostgresql(
  { server: files, programs }: PostgresqlFiles,
  port: number,
): Promise<AsyncDisposable> {
  const { folder, undo } = await scratch();
  // Where the package lies, only its owner may be able to look.
  await cp(join(files, 'usr'), join(folder, 'usr'), { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, nobody, nobody);
  const script = postgresqlScript(join(folder, programs), join(folder, 'data'), '127.0.0.1', port);
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  const server = undo.use(startServer(['/bin/sh', '-c', `${script} 2>&1`], identity));
  await server.line((line) => line.includes('ready to accept connections'));
  return undo;
}

async function scratch() {
  const undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-local-load-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  return { folder, undo };
}
