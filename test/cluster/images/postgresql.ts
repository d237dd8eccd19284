/** Debian's PostgreSQL: its server in a pod, and the files of server and clients for programs of this computer. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackages } from '../packages.ts';
import type { ImageArchive } from './archive.ts';
import { busyboxLayer, busyboxPackages } from './busybox.ts';
import { cachedImage, cachedLayer } from './cache.ts';
import { currentPackage, unpackedPackage } from './debian-files.ts';

/** Where its files are on this computer. */
export interface PostgresqlFiles {
  /** The unpacked package of the server; its programs find the rest of it beside them. */
  readonly server: string;
  /** The folder with initdb, postgres and pgbench, relative to `server`. */
  readonly programs: string;
  readonly psql: string;
}

/** Fetches server and client. Nothing of them is installed but the libraries that they are linked with. */
export async function postgresqlFiles(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<PostgresqlFiles> {
  const [serverPackage, clientPackage] = [
    await currentPackage('postgresql'),
    await currentPackage('postgresql-client'),
  ];
  const server = await unpackedPackage(cacheDirectory, serverPackage, onProgress);
  const client = await unpackedPackage(cacheDirectory, clientPackage, onProgress);
  return { server, programs: await programsIn(server), psql: join(client, await programsIn(client), 'psql') };
}

/**
 * How a shell makes a new database in `data` and becomes its server, which trusts all who reach `port` of `address`.
 * `programs`: the folder with initdb.
 */
export function postgresqlScript(programs: string, data: string, address: string, port: number): string {
  const make = `${programs}/initdb -D ${data} -U load -A trust --locale=C -E UTF8 --no-sync >/dev/null`;
  const trust = `echo 'host all all all trust' >>${data}/pg_hba.conf`;
  const settings = ['fsync=off', 'shared_buffers=32MB', 'dynamic_shared_memory_type=mmap', 'timezone=GMT'];
  const options = [...settings, 'log_timezone=GMT'].map((one) => `-c ${one}`).join(' ');
  return `${make} && ${trust} && exec ${programs}/postgres -D ${data} -h ${address} -p ${port} -k ${data} ${options}`;
}

/** Builds `kubernetes-local.test/postgresql:1`, which serves port 5432 and has psql and pgbench too. */
export async function buildPostgresqlImage(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<ImageArchive> {
  const { server, programs, psql } = await postgresqlFiles(cacheDirectory, onProgress);
  await ensurePackages(busyboxPackages, onProgress);
  const layer = await cachedLayer(
    cacheDirectory,
    { name: 'postgresql', source: import.meta.filename, inputs: [server, psql] },
    async (root) => {
      await root.addEssentials();
      for (const program of ['initdb', 'postgres']) {
        await root.copyProgram(join(server, programs, program), `/${programs}/${program}`);
      }
      await root.copyProgram(join(server, programs, 'pgbench'), '/bin/pgbench');
      await root.copyProgram(psql, '/bin/psql');
      const modules = join(programs, '..', 'lib');
      for (const module of ['plpgsql.so', 'dict_snowball.so']) {
        await root.copyProgram(join(server, modules, module), `/${modules}/${module}`);
      }
      await root.copyTree(join(server, 'usr/share/postgresql'), '/usr/share/postgresql', (path) => /\/man$/.test(path));
    },
  );
  return cachedImage(cacheDirectory, {
    name: 'kubernetes-local.test/postgresql:1',
    layers: [await busyboxLayer(cacheDirectory), layer],
    entrypoint: ['/bin/sh', '-c', postgresqlScript(`/${programs}`, '/tmp/data', '0.0.0.0', 5432)],
    user: '65532:65532',
  });
}

/** The folder with the programs of an unpacked package, relative to it; it has the version in its name. */
async function programsIn(folder: string): Promise<string> {
  const [version] = await readdir(join(folder, 'usr/lib/postgresql'));
  if (version === undefined) throw new Error(`${folder} has no PostgreSQL`);
  return `usr/lib/postgresql/${version}/bin`;
}
