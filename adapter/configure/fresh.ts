/** Configurations for programs that have none yet, by what is in the folder. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import type { Settings } from './draft.ts';

/** A new configuration. */
export interface FreshConfiguration {
  /** Such as `Python`. */
  readonly language: string;
  /** What it starts, for the user: `main.py`. */
  readonly starts: string;
  readonly settings: Settings & { readonly type: string };
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of VS Code
const here = '${workspaceFolder}';
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of VS Code
const openFile = '${file}';

/**
 * What can be started in the folder, the likeliest first; where nothing is found, one of each language to be completed.
 * @param possible whether the editor can say what is in a configuration.
 */
export function freshConfigurations(
  folder: string,
  currentFile?: string,
  possible: (settings: Settings) => boolean = () => true,
): readonly FreshConfiguration[] {
  const found = likely(folder, currentFile).filter(({ settings }) => possible(settings));
  return found.length > 0 ? found : examples();
}

function likely(folder: string, currentFile: string | undefined): readonly FreshConfiguration[] {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const found = [
    ...dotnet(folder, names),
    ...go(folder, names),
    ...rust(folder, names),
    ...node(folder, names),
    ...python(folder, names),
    ...ruby(folder, names),
    ...java(names),
    ...cmake(folder, names),
  ];
  const current = currentFile === undefined ? undefined : ofFile(folder, currentFile);
  const open = current && found.findIndex(({ language }) => language === current.language);
  if (current === undefined || open === undefined) return found.length > 0 ? found : examples();
  // The file that is open tells the language, its project file what to start.
  const [best = current] = found.filter(({ language }) => language === current.language);
  return [best, ...found.filter((each) => each !== best)];
}

function python(folder: string, names: readonly string[]): FreshConfiguration[] {
  if (names.includes('manage.py')) {
    return [pythonProgram(`${here}/manage.py`, 'manage.py', { args: ['runserver', '--noreload'], django: true })];
  }
  const program = entry(folder, names, '.py', ['main', 'app', 'server', '__main__', 'run'], ['src', 'app']);
  if (program !== undefined) return [pythonProgram(`${here}/${program}`, program)];
  const marks = ['pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile'];
  const some = names.some((name) => marks.includes(name) || name.endsWith('.py'));
  return some ? [pythonProgram(openFile, 'the file that is open')] : [];
}

function pythonProgram(program: string, starts: string, more: Settings = {}): FreshConfiguration {
  const settings = { type: 'debugpy', request: 'launch', program, ...more, cwd: here, console: 'integratedTerminal' };
  return { language: 'Python', starts, settings };
}

const packageSchema = z.looseObject({
  main: z.string().optional().catch(undefined),
  scripts: z.record(z.string(), z.unknown()).catch({}).default({}),
});

function node(folder: string, names: readonly string[]): FreshConfiguration[] {
  const manifest = names.includes('package.json') ? readJson(join(folder, 'package.json')) : undefined;
  const { main, scripts } = packageSchema.catch({ scripts: {} }).parse(manifest ?? {});
  const start = typeof scripts.start === 'string' ? scripts.start : undefined;
  const started = start === undefined ? undefined : /^node\s+([^\s-]\S*)$/.exec(start.trim())?.[1];
  for (const program of [started, main]) {
    if (program !== undefined && isFile(join(folder, program))) {
      const path = program.replace(/^\.\//, '');
      return [nodeProgram({ program: `${here}/${path}` }, path)];
    }
  }
  if (start !== undefined) {
    return [nodeProgram({ runtimeExecutable: 'npm', runtimeArgs: ['run', 'start'] }, 'npm run start')];
  }
  const usual = ['main', 'index', 'server', 'app'];
  const program =
    entry(folder, names, '.js', usual, ['src', 'dist']) ?? entry(folder, names, '.mjs', usual, ['src', 'dist']);
  if (program !== undefined) return [nodeProgram({ program: `${here}/${program}` }, program)];
  return manifest === undefined ? [] : [nodeProgram({ program: openFile }, 'the file that is open')];
}

function nodeProgram(what: Settings, starts: string): FreshConfiguration {
  const skipFiles = ['<node_internals>/**'];
  return {
    language: 'Node',
    starts,
    settings: { type: 'node', request: 'launch', ...what, cwd: here, skipFiles },
  };
}

function go(folder: string, names: readonly string[]): FreshConfiguration[] {
  if (!names.includes('go.mod') && !names.some((name) => name.endsWith('.go'))) return [];
  const commands = isMainPackage(folder, names)
    ? ['.']
    : list(join(folder, 'cmd'))
        .filter((name) => isMainPackage(join(folder, 'cmd', name), list(join(folder, 'cmd', name))))
        .map((name) => `cmd/${name}`);
  return (commands.length > 0 ? commands : ['.']).map((path) => ({
    language: 'Go',
    starts: path === '.' ? 'the package of this folder' : path,
    settings: { type: 'go', request: 'launch', mode: 'auto', program: path === '.' ? here : `${here}/${path}` },
  }));
}

function isMainPackage(folder: string, names: readonly string[]): boolean {
  return names.some((name) => name.endsWith('.go') && /^package main\b/m.test(read(join(folder, name))));
}

function rust(folder: string, names: readonly string[]): FreshConfiguration[] {
  if (!names.includes('Cargo.toml')) return [];
  const manifest = read(join(folder, 'Cargo.toml'));
  const bins = [...manifest.matchAll(/^\[\[bin\]\][^[]*?^name\s*=\s*"([^"]+)"/gm)].map(([, name]) => name);
  const [, crate] = /^\[package\][^[]*?^name\s*=\s*"([^"]+)"/m.exec(manifest) ?? [];
  const programs = [...bins, ...(bins.length === 0 ? [crate] : [])].filter((name) => name !== undefined);
  return programs.map((name) => ({
    language: 'Rust',
    starts: `target/debug/${name}, made by cargo build`,
    settings: { type: 'lldb', request: 'launch', program: `${here}/target/debug/${name}`, args: [], cwd: here },
  }));
}

function dotnet(folder: string, names: readonly string[]): FreshConfiguration[] {
  return names
    .filter((name) => /\.(cs|fs|vb)proj$/.test(name))
    .map((name) => {
      const project = read(join(folder, name));
      const framework = /<TargetFrameworks?>\s*([^;<\s]+)/.exec(project)?.[1] ?? 'net8.0';
      const assembly = /<AssemblyName>\s*([^<$\s]+)/.exec(project)?.[1] ?? basename(name, extname(name));
      const path = `bin/Debug/${framework}/${assembly}.dll`;
      return {
        language: '.NET',
        starts: `${path}, made by dotnet build`,
        settings: { type: 'coreclr', request: 'launch', program: `${here}/${path}`, args: [], cwd: here },
      };
    });
}

function ruby(folder: string, names: readonly string[]): FreshConfiguration[] {
  const useBundler = names.includes('Gemfile') ? { useBundler: true } : {};
  const program = (script: string, starts: string, more: Settings = {}): FreshConfiguration => ({
    language: 'Ruby',
    starts,
    settings: { type: 'rdbg', request: 'launch', script, ...more, ...useBundler, cwd: here },
  });
  if (isFile(join(folder, 'bin', 'rails'))) {
    return [program(`${here}/bin/rails`, 'bin/rails server', { args: ['server'] })];
  }
  const file = entry(folder, names, '.rb', ['main', 'app', 'server'], ['bin', 'lib']);
  if (file !== undefined) return [program(`${here}/${file}`, file)];
  return names.includes('Gemfile') ? [program(openFile, 'the file that is open')] : [];
}

function java(names: readonly string[]): FreshConfiguration[] {
  const marks = ['pom.xml', 'build.gradle', 'build.gradle.kts'];
  if (!names.some((name) => marks.includes(name))) return [];
  const settings = { type: 'java', request: 'launch', mainClass: openFile };
  return [{ language: 'Java', starts: 'the class that is open', settings }];
}

function cmake(folder: string, names: readonly string[]): FreshConfiguration[] {
  if (!names.includes('CMakeLists.txt')) return [];
  const lists = read(join(folder, 'CMakeLists.txt'));
  return [...lists.matchAll(/^\s*add_executable\s*\(\s*([\w.+-]+)/gim)].map(([, name]) => ({
    language: 'C or C++',
    starts: `build/${name}, made by cmake --build build`,
    settings: { type: 'lldb-dap', request: 'launch', program: `${here}/build/${name}`, args: [], cwd: here },
  }));
}

/** For a single file, whatever else is there. */
function ofFile(folder: string, file: string): FreshConfiguration | undefined {
  const name = relative(folder, file).replaceAll('\\', '/');
  const inside = name.startsWith('..') || isAbsolute(name) ? openFile : `${here}/${name}`;
  switch (extname(file)) {
    case '.py':
      return pythonProgram(inside, name);
    case '.js':
    case '.mjs':
    case '.cjs':
      return nodeProgram({ program: inside }, name);
    case '.rb':
      return {
        language: 'Ruby',
        starts: name,
        settings: { type: 'rdbg', request: 'launch', script: inside, cwd: here },
      };
    case '.go':
      return { language: 'Go', starts: name, settings: { type: 'go', request: 'launch', mode: 'auto', program: here } };
    default:
      return undefined;
  }
}

/** One for each language, where nothing tells which. */
function examples(): readonly FreshConfiguration[] {
  return [
    pythonProgram(`${here}/main.py`, 'main.py'),
    nodeProgram({ program: `${here}/main.js` }, 'main.js'),
    {
      language: 'Go',
      starts: 'the package of this folder',
      settings: { type: 'go', request: 'launch', mode: 'auto', program: here },
    },
    {
      language: 'C, C++ or Rust',
      starts: 'build/main',
      settings: { type: 'lldb-dap', request: 'launch', program: `${here}/build/main`, args: [], cwd: here },
    },
    {
      language: '.NET',
      starts: 'bin/Debug/net8.0/main.dll',
      settings: { type: 'coreclr', request: 'launch', program: `${here}/bin/Debug/net8.0/main.dll`, cwd: here },
    },
    {
      language: 'Ruby',
      starts: 'main.rb',
      settings: { type: 'rdbg', request: 'launch', script: `${here}/main.rb`, cwd: here },
    },
  ];
}

/** The file that is likely to be the program: by its name, or because it is the only one. */
function entry(
  folder: string,
  names: readonly string[],
  extension: string,
  usual: readonly string[],
  folders: readonly string[],
): string | undefined {
  const known = usual.map((name) => `${name}${extension}`);
  const places = [known, ...folders.map((inner) => known.map((name) => `${inner}/${name}`))].flat();
  const byName = places.find((path) => isFile(join(folder, path)));
  if (byName !== undefined) return byName;
  const [only, ...others] = names.filter((name) => name.endsWith(extension) && !isTestOrSettings(name));
  return others.length === 0 ? only : undefined;
}

function isTestOrSettings(name: string): boolean {
  return /^(test_|conftest|setup\.py)|(_test|\.test|\.spec|\.config)\.[a-z]+$/.test(name);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(read(path));
  } catch {
    // Whatever is wrong with it is not for this program to say; it tells nothing about what to start.
    return {};
  }
}

function read(path: string): string {
  return isFile(path) ? readFileSync(path, 'utf8') : '';
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function list(path: string): readonly string[] {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path).sort() : [];
}
