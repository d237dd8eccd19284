/** launch-templates/vscode/launch.json for each language whose debugger is here: its lines changed, it debugs that language. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Folder } from '../debuggers/conformance/folder.ts';
import { type RealDebuggers, realDebuggers } from '../debuggers/install.ts';
import { templates } from '../templates/launches.ts';
import { changed, replaced } from '../templates/marked-lines.ts';
import { commandOf } from './scene.ts';
import { debugged, leftNothing } from './stage.ts';
import { VsCode } from './vscode.ts';

const launchJson = readFileSync(new URL('../../launch-templates/vscode/launch.json', import.meta.url), 'utf8');
const sources = fileURLToPath(new URL('../debuggers/conformance/programs', import.meta.url));

interface Language {
  /** The start of the configuration's name. */
  readonly name: string;
  /** Makes the program in the folder of the workspace. Returns its source there. */
  make(workspace: string, real: RealDebuggers): string;
  /** What is changed in the lines that are marked. */
  readonly changes: Readonly<Record<string, string>>;
  readonly environment?: (real: RealDebuggers) => NodeJS.ProcessEnv;
}

function source(workspace: string, name: string, as = name): string {
  copyFileSync(join(sources, name), join(workspace, as));
  return join(workspace, as);
}

function makeC(workspace: string, { gcc }: RealDebuggers): string {
  // That of the conformance tests throws, which is a stop for CodeLLDB, as VS Code asks for by default.
  const file = join(workspace, 'paid.c');
  copyFileSync(fileURLToPath(new URL('programs/paid.c', import.meta.url)), file);
  execFileSync(gcc, ['-g', '-O0', '-o', join(workspace, 'program'), file]);
  return file;
}

const languages: readonly Language[] = [
  { name: 'Python', make: (workspace) => source(workspace, 'program.py'), changes: { 'main.py': 'program.py' } },
  { name: 'Node', make: (workspace) => source(workspace, 'program.cjs'), changes: { 'main.js': 'program.cjs' } },
  {
    name: 'Go',
    make: (workspace) => {
      writeFileSync(join(workspace, 'go.mod'), 'module cart\n\ngo 1.19\n');
      return source(workspace, 'program.go', 'main.go');
    },
    changes: {},
    environment: ({ go }) => go.environment,
  },
  { name: 'C, C++ with LLDB', make: makeC, changes: { 'build/cart': 'program' } },
  { name: 'C, C++ with GDB', make: makeC, changes: { 'build/cart': 'program' } },
  // A program in C is as good: CodeLLDB is asked the same.
  { name: 'Rust', make: makeC, changes: { 'target/debug/cart': 'program' } },
  { name: 'Ruby', make: (workspace) => source(workspace, 'program.rb'), changes: { 'app.rb': 'program.rb' } },
];

/** Where the debug adapters are found: on PATH, as if they were installed. */
function pathOf({ python, adapters }: RealDebuggers): string {
  const bin = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
  return [dirname(python), dirname(adapters.codelldb[0]), bin, process.env.PATH].join(delimiter);
}

describe.concurrent('the configuration of VS Code for', () => {
  test.each(languages.map((one) => [one.name, one] as const))('%s', async (name, { make, changes, environment }) => {
    const real = await realDebuggers();
    using workspace = new Folder();
    const path = make(workspace.path, real);
    const line =
      readFileSync(path, 'utf8')
        .split('\n')
        .findIndex((text) => /(?:#|\/\/|\/\*) plain/.test(text)) + 1;
    const launches = templates['vscode/launch.json']?.launches(changed(launchJson, '//', changes)) ?? [];
    const written = launches.find(({ configuration }) => String(configuration.name).startsWith(`${name}:`));
    const configuration = JSON.parse(
      replaced(JSON.stringify(written?.configuration), { '${workspaceFolder}': workspace.path }),
    );
    const scene = {
      ...commandOf(['kubernetes-local', 'dap', '--delegate', configuration.delegate.type]),
      configuration,
      breakpoint: { path, line },
    };
    const PATH = pathOf(real);
    const variables = { ...scene.environment, PATH, ...environment?.({ ...real }), RUBY_DEBUG_LOG_LEVEL: 'WARN' };
    await debugged(
      (one) => new VsCode(one),
      { ...scene, environment: variables },
      async (client) => {
        const stop = await client.stopped();
        expect(stop.line).toBe(line);
        expect(stop.variables.get('paid')).toBe('32');
        await leftNothing(client, () => client.runToEnd(stop));
        expect(client.shown).toContain('paid 32 from the cluster');
        expect(client.journal).toBe('connecting\nconnected\nundone\n');
      },
    );
  });
});
