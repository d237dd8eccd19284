/**
 * The sample system: web (Node) → cart (Python, two replicas and a sidecar) → prices (Go) and a real Redis.
 * It owns the programs, their images and their manifests. README.md tells how to run it on a cluster of one's own.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageArchive, Layer } from '../../cluster/images/archive.ts';
import { buildBusyboxImage, busyboxPackages } from '../../cluster/images/busybox.ts';
import { cachedImage, cachedLayer, fileStamp } from '../../cluster/images/cache.ts';
import { nodeBaseLayer } from '../../cluster/images/node-base.ts';
import { ensurePackages } from '../../cluster/packages.ts';

const run = promisify(execFile);

const imageRegistry = 'kubernetes-local.test';
const python = '/usr/bin/python3';
const redisTools = { server: '/usr/bin/redis-check-rdb', client: '/usr/bin/redis-cli' };

/**
 * The Debian packages the images are made of. Redis comes from redis-tools, whose redis-check-rdb is the server under
 * another name: the package redis-server would start a service on this computer.
 */
const shopPackages = ['python3', 'python3-redis', 'redis-tools', ...busyboxPackages] as const;

/** The Debian packages a cart on this computer needs, run and debugged by /usr/bin/python3. */
export const localCartPackages = ['python3', 'python3-redis', 'python3-debugpy'] as const;

/** The source file of the cart, which the demo and the tests debug. */
export const cartProgram = join(import.meta.dirname, 'cart', 'cart.py');

/** Builds all images the manifests name. Needs Go ≥ 1.22 on the PATH. A second call finds them in the cache. */
export async function buildShopImages(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<readonly ImageArchive[]> {
  await ensurePackages(shopPackages, onProgress);
  onProgress('building the images of the sample shop');
  return Promise.all([
    buildWeb(cacheDirectory),
    buildCart(cacheDirectory),
    buildPrices(cacheDirectory),
    buildRedis(cacheDirectory),
    buildBusyboxImage(cacheDirectory),
  ]);
}

/**
 * The manifests of the whole shop as one YAML text for `kubectl apply -f -` into any namespace.
 * `imagePrefix` (such as `registry.example.com/team/`) replaces the registry of the test cluster.
 */
export async function shopManifests(options: { imagePrefix?: string } = {}): Promise<string> {
  const directory = join(import.meta.dirname, 'manifests');
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  const prefix = options.imagePrefix ?? `${imageRegistry}/`;
  return texts.join('---\n').replaceAll(`image: ${imageRegistry}/`, `image: ${prefix}`);
}

const nonRoot = '65532:65532';

async function buildWeb(cacheDirectory: string): Promise<ImageArchive> {
  const program = await programLayer(cacheDirectory, join(import.meta.dirname, 'web', 'web.js'), {
    // Without it Node would parse the file twice to find out that it is a module.
    'package.json': '{"type":"module"}\n',
  });
  return cachedImage(cacheDirectory, {
    name: `${imageRegistry}/shop-web:1`,
    layers: [await nodeBaseLayer(cacheDirectory), program],
    entrypoint: ['/bin/node', '/app/web.js'],
    user: nonRoot,
  });
}

async function buildCart(cacheDirectory: string): Promise<ImageArchive> {
  return cachedImage(cacheDirectory, {
    name: `${imageRegistry}/shop-cart:1`,
    layers: [await pythonLayer(cacheDirectory), await programLayer(cacheDirectory, cartProgram)],
    entrypoint: [python, '/app/cart.py'],
    env: { PYTHONUNBUFFERED: '1', LANG: 'C.UTF-8' },
    user: nonRoot,
  });
}

async function buildPrices(cacheDirectory: string): Promise<ImageArchive> {
  const directory = join(import.meta.dirname, 'prices');
  const sources = await Promise.all(['go.mod', 'prices.go'].map((name) => readFile(join(directory, name), 'utf8')));
  const layer = await cachedLayer(
    cacheDirectory,
    { name: 'shop-prices', source: import.meta.filename, inputs: sources },
    async (root) => {
      await root.addEssentials();
      await root.makeDirectory('/app');
      await run(
        'go',
        ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', root.at('/app/prices'), '.'],
        {
          cwd: directory,
          env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' },
        },
      );
    },
  );
  return cachedImage(cacheDirectory, {
    name: `${imageRegistry}/shop-prices:1`,
    layers: [layer],
    entrypoint: ['/app/prices'],
    user: nonRoot,
  });
}

async function buildRedis(cacheDirectory: string): Promise<ImageArchive> {
  const inputs = await Promise.all([redisTools.server, redisTools.client].map(fileStamp));
  const layer = await cachedLayer(
    cacheDirectory,
    { name: 'shop-redis', source: import.meta.filename, inputs },
    async (root) => {
      await root.addEssentials();
      await root.copyProgram(redisTools.server, '/bin/redis-server');
      await root.copyProgram(redisTools.client, '/bin/redis-cli');
    },
  );
  return cachedImage(cacheDirectory, {
    name: `${imageRegistry}/shop-redis:1`,
    layers: [layer],
    entrypoint: ['/bin/redis-server'],
    user: nonRoot,
  });
}

/** One source file, and small files beside it, in /app. */
async function programLayer(
  cacheDirectory: string,
  file: string,
  beside: Readonly<Record<string, string>> = {},
): Promise<Layer> {
  const name = basename(file);
  const content = await readFile(file, 'utf8');
  return cachedLayer(
    cacheDirectory,
    { name: `shop-${name.replace('.', '-')}`, source: import.meta.filename, inputs: [content] },
    async (root) => {
      await root.write(`/app/${name}`, content);
      for (const [other, text] of Object.entries(beside)) await root.write(`/app/${other}`, text);
    },
  );
}

/** Parts of Python's library no server needs, and the extension modules that would bring more shared libraries. */
const leftOut =
  /^(config-|distutils|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtle|unittest|venv)|(^|\/)__pycache__$/;
const extensionsLeftOut =
  /^lib-dynload\/(_codecs_|_ctypes|_curses|_dbm|_hashlib|_sqlite3|_ssl|_test|_xx|nis|ossaudio|readline|xx)/;

/** What `import redis` needs of Debian's Python packages. */
const pythonPackages = ['redis', 'async_timeout', 'deprecated', 'packaging', 'wrapt'];

/** Debian's Python and its redis package, compiled beforehand: nothing can be written in the container. */
async function pythonLayer(cacheDirectory: string): Promise<Layer> {
  const { stdout } = await run(python, ['-c', 'import os; print(os.path.dirname(os.__file__))']);
  const library = stdout.trim();
  const packages = '/usr/lib/python3/dist-packages';
  const stamps = await Promise.all(
    [python, library, ...pythonPackages.map((name) => join(packages, name))].map(fileStamp),
  );
  return cachedLayer(cacheDirectory, { name: 'python', source: import.meta.filename, inputs: stamps }, async (root) => {
    await root.addEssentials();
    await root.copyProgram(python, python);
    await root.copyTree(library, library, (path) => leftOut.test(path) || extensionsLeftOut.test(path));
    const extensions = await readdir(root.at(join(library, 'lib-dynload')));
    for (const extension of extensions) await root.copyLibraries(join(library, 'lib-dynload', extension));
    for (const name of pythonPackages) {
      await root.copyTree(join(packages, name), join(packages, name), (path) =>
        /(^|\/)(__pycache__|tests?)$/.test(path),
      );
    }
    const compile = ['-m', 'compileall', '-q', '-j', '2', '--invalidation-mode', 'unchecked-hash'];
    await run(python, [...compile, '-s', root.directory, '-p', '/', root.at(library), root.at(packages)]);
  });
}
