/** Zed, Sublime Text, Kate, JetBrains IDEs and Visual Studio: files of JSON. */
import { basename, dirname, join } from 'node:path';
import { isProgram } from '../delegate.ts';
import type { Dialect, EditorFiles, ExistingConfiguration, Settings } from '../draft.ts';
import { onlyFile } from '../editor.ts';
import { ListedFiles } from './listed.ts';
import { delegateType, type OwnJsonShape } from './own-json.ts';

/** The debug adapters of Zed, by the types that they have elsewhere. */
const zedAdapters: Readonly<Record<string, string>> = {
  Debugpy: 'debugpy',
  JavaScript: 'pwa-node',
  Delve: 'go',
  CodeLLDB: 'codelldb',
};

const zedDialect: Dialect = {
  variables: { '${workspaceFolder}': '$ZED_WORKTREE_ROOT', '${file}': '$ZED_FILE' },
  terminal: true,
  tasks: false,
};

export function openZedFiles(
  folder: string,
  ofVscode: (dialect: Dialect) => readonly ExistingConfiguration[],
): EditorFiles {
  return new ListedFiles({
    path: join(folder, '.zed', 'debug.json'),
    at: [],
    frame: {},
    nameKey: 'label',
    typeKey: 'adapter',
    dialect: zedDialect,
    existing: (items) => [...items.flatMap(fromZed), ...ofVscode(zedDialect)],
    advice: ['The extension of launch-templates/zed is needed once. Then set a breakpoint and press F4.'],
  });
}

function fromZed({ label, adapter, ...rest }: Settings): readonly ExistingConfiguration[] {
  const type = typeof adapter === 'string' ? zedAdapters[adapter] : undefined;
  return type === undefined || typeof label !== 'string' ? [] : [{ name: label, settings: { type, ...rest } }];
}

const sublimeDialect: Dialect = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of VS Code, which Debugger knows too
  variables: { '${workspaceFolder}': '${workspaceFolder}', '${file}': '${file}' },
  terminal: false,
  tasks: false,
};

export function openSublimeFiles(
  folder: string,
  ofVscode: (dialect: Dialect) => readonly ExistingConfiguration[],
): EditorFiles {
  return new ListedFiles({
    path: onlyFile(folder, /\.sublime-project$/) ?? join(folder, `${basename(folder)}.sublime-project`),
    at: ['debugger_configurations'],
    frame: { folders: [{ path: '.' }] },
    nameKey: 'name',
    typeKey: 'type',
    dialect: sublimeDialect,
    existing: (items) => [
      ...items.flatMap((item) =>
        isProgram(item) && typeof item.name === 'string' ? [{ name: item.name, settings: item }] : [],
      ),
      ...ofVscode(sublimeDialect),
    ],
    advice: [
      'The package of launch-templates/sublime is needed once. Open the project, set a breakpoint and run Debugger: Start.',
    ],
  });
}

/** LSP4IJ: a folder that it imports as a template, and the launch parameters in it. */
export function intellij(folder: string): OwnJsonShape {
  return {
    folder,
    dialect: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of VS Code, which LSP4IJ knows too
      variables: { '${workspaceFolder}': '${workspaceFolder}', '${file}': '${file}' },
      terminal: false,
      tasks: false,
    },
    path: (slug) => `.kubernetes-local/intellij/${slug}/launch.json`,
    extra: () => ({}),
    beside: (configuration) => {
      const command = (program: string) => `${program} dap --delegate ${delegateType(configuration)} --port \${port}`;
      const template = {
        id: 'kubernetes-local',
        name: 'Kubernetes Local',
        launch: { default: command('kubernetes-local'), windows: command('kubernetes-local.cmd') },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of LSP4IJ
        debugServerReadyPattern: 'DAP server listening at: ${address}:${port}',
        fileTypeMappings: [
          ['Python', ['*.py'], 'python'],
          ['JavaScript', ['*.js', '*.mjs', '*.cjs'], 'javascript'],
          ['TypeScript', ['*.ts'], 'typescript'],
          ['Go', ['*.go'], 'go'],
          ['Rust', ['*.rs'], 'rust'],
          ['Ruby', ['*.rb'], 'ruby'],
        ].map(([name, patterns, languageId]) => ({ fileType: { name, patterns }, languageId })),
      };
      return { 'template.json': `${JSON.stringify(template, undefined, 2)}\n` };
    },
    advice: (path) => [
      `Run > Edit Configurations > + > Debug Adapter Protocol > create a new server, from the template ${dirname(path)}.`,
      'Then set a breakpoint and choose Debug.',
    ],
  };
}

/** Visual Studio: what its command DebugAdapterHost.Launch takes, without an extension. */
export function visualStudio(folder: string, command: readonly string[]): OwnJsonShape {
  const [program = 'kubernetes-local', ...first] = command;
  return {
    folder,
    dialect: { variables: { '${workspaceFolder}': folder }, terminal: false, tasks: false },
    path: (slug) => `.kubernetes-local/${slug}.launch.json`,
    extra: (configuration) => ({
      $adapter: program,
      $adapterArgs: [...first, 'dap', '--delegate', delegateType(configuration)].map(quoted).join(' '),
      $localsScopeName: 'Locals',
    }),
    beside: () => ({}),
    advice: (path) => [
      `Set a breakpoint; in View > Other Windows > Command Window: DebugAdapterHost.Launch /LaunchJson:"${path}"`,
    ],
  };
}

/** As the programs of Windows read their command line. */
function quoted(word: string): string {
  return /[\s"]/.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word;
}
