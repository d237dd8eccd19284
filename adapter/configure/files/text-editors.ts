/** Neovim, Emacs, Helix and Eclipse: the shapes of launch-templates/, with one configuration filled in. */
import type { Dialect } from '../draft.ts';
import type { OwnTextShape, Rendered } from './own-text.ts';
import { elisp, lua, quotedElisp, tomlText, xmlAttribute } from './written-text.ts';

const ownFolder = '.kubernetes-local';

/** Editors that put nothing in for variables get whole paths. */
function wholePaths(folder: string, terminal: boolean): Dialect {
  return { variables: { '${workspaceFolder}': folder }, terminal, tasks: false };
}

/** The keys that a launch request takes; the name, type and request stand elsewhere in some files. */
function launchKeys({ name: _, type: _type, request: _request, ...rest }: Rendered): Record<string, unknown> {
  return rest;
}

const fileTypes: Readonly<Record<string, readonly string[]>> = {
  debugpy: ['python'],
  python: ['python'],
  node: ['javascript', 'typescript'],
  'pwa-node': ['javascript', 'typescript'],
  'js-debug': ['javascript', 'typescript'],
  go: ['go'],
  delve: ['go'],
  dlv: ['go'],
  rdbg: ['ruby'],
  ruby: ['ruby'],
  coreclr: ['cs', 'fsharp'],
  netcoredbg: ['cs', 'fsharp'],
  java: ['java', 'kotlin'],
  lldb: ['c', 'cpp', 'rust'],
  codelldb: ['c', 'cpp', 'rust'],
  'lldb-dap': ['c', 'cpp', 'rust'],
  'cdt-gdb': ['c', 'cpp'],
  gdb: ['c', 'cpp'],
};

/** The languages of a debugger, as Neovim and Helix call them. */
function languages(type: string): readonly string[] {
  return fileTypes[type] ?? ['python'];
}

export function neovim(folder: string): OwnTextShape {
  return {
    folder,
    dialect: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of VS Code, which nvim-dap knows too
      variables: { '${workspaceFolder}': '${workspaceFolder}', '${file}': '${file}' },
      terminal: true,
      tasks: false,
    },
    paths: (slug) => [`${ownFolder}/${slug}.lua`],
    comment: (text) => `-- ${text}`,
    render: (configuration) => `-- kubernetes-local in Neovim with nvim-dap.
local dap = require("dap")

dap.adapters["kubernetes-local"] = function(callback, configuration)
  local delegate = configuration.delegate or {}
  callback({
    type = "executable",
    command = "kubernetes-local",
    -- The real debugger is named here already, so that Neovim gets its capabilities.
    args = delegate.type and { "dap", "--delegate", delegate.type } or { "dap" },
    -- The cluster is put back before the debugger says goodbye; nvim-dap would wait only 3 seconds for that.
    options = { disconnect_timeout_sec = 15 },
  })
end

local configurations = {
  ${lua(configuration, '  ')},
}

for _, filetype in ipairs(${lua(languages(configuration.delegate.type), '')}) do
  dap.configurations[filetype] = dap.configurations[filetype] or {}
  vim.list_extend(dap.configurations[filetype], configurations)
end

`,
    advice: (path) => [
      `Add to your init.lua, or to .nvim.lua of this folder: dofile(${JSON.stringify(path)})`,
      'Then set a breakpoint (:DapToggleBreakpoint) and run :DapContinue.',
    ],
  };
}

export function emacsDapMode(folder: string): OwnTextShape {
  return {
    folder,
    dialect: wholePaths(folder, false),
    paths: (slug) => [`${ownFolder}/${slug}.el`],
    comment: (text) => `;; ${text}`,
    render: (configuration) => `;;; kubernetes-local in Emacs with dap-mode -*- lexical-binding: t; -*-

(require 'dap-mode)

;; Debian 12 has a lsp-treemacs that asks for an option of a later treemacs; without it, no variables are shown.
(defvar treemacs-text-scale nil)

;; What is done with the cluster is told in these categories, which dap-mode shows to nobody.
(when dap-output-buffer-filter
  (add-to-list 'dap-output-buffer-filter "console")
  (add-to-list 'dap-output-buffer-filter "important"))

(defun kubernetes-local-configuration (configuration)
  "Add to CONFIGURATION how the debug adapter is started."
  ;; The real debugger is named here already, so that Emacs gets its capabilities.
  (let ((debugger (plist-get (plist-get configuration :delegate) :type)))
    (plist-put configuration :dap-server-path
               (append '("kubernetes-local" "dap") (and debugger (list "--delegate" debugger))))))

(dap-register-debug-provider "kubernetes-local" #'kubernetes-local-configuration)

(defun kubernetes-local-with-error-text (handler)
  "Let HANDLER of a failed response see what is wrong; dap-mode would show only the short name of the error."
  (lambda (response)
    (let* ((body (gethash "body" response))
           (problem (and (hash-table-p body) (gethash "error" body)))
           (text (and (hash-table-p problem) (gethash "format" problem))))
      (when text (puthash "message" text response)))
    (funcall handler response)))

(advice-add 'dap--session-init-resp-handler :filter-return #'kubernetes-local-with-error-text)

(dap-register-debug-template
 ${elisp(configuration.name, '')}
 ${elisp(configuration, ' ')})

`,
    advice: (path) => [
      `Add to your init.el: (load ${JSON.stringify(path)})`,
      'Then set a breakpoint (M-x dap-breakpoint-toggle) and run M-x dap-debug.',
    ],
  };
}

/** The modes of Emacs for a language that are not its name and `-mode`. */
const emacsModes: Readonly<Record<string, readonly string[]>> = {
  javascript: ['js-mode', 'js-ts-mode'],
  typescript: ['typescript-mode', 'typescript-ts-mode'],
  c: ['c-mode', 'c-ts-mode'],
  cpp: ['c++-mode', 'c++-ts-mode'],
  cs: ['csharp-mode', 'csharp-ts-mode'],
};

function modes(type: string): readonly string[] {
  return languages(type).flatMap((language) => emacsModes[language] ?? [`${language}-mode`, `${language}-ts-mode`]);
}

export function emacsDape(folder: string): OwnTextShape {
  return {
    folder,
    dialect: wholePaths(folder, true),
    paths: (slug) => [`${ownFolder}/${slug}-dape.el`],
    comment: (text) => `;; ${text}`,
    render: (configuration) => {
      const { type } = configuration.delegate;
      const symbol = configuration.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
      return `;;; kubernetes-local in Emacs with dape -*- lexical-binding: t; -*-

(require 'dape)

(add-to-list
 'dape-configs
 '(${symbol}
   modes (${modes(type).join(' ')})
   command "kubernetes-local"
   ;; The real debugger is named here already, so that Emacs gets its capabilities.
   command-args ("dap" "--delegate" ${quotedElisp(type, '')})
   command-cwd ${quotedElisp(folder, '')}
   ${quotedElisp(configuration, '  ').slice(1, -1)}))

`;
    },
    advice: (path) => [
      `Add to your init.el: (load ${JSON.stringify(path)})`,
      'Then set a breakpoint (M-x dape-breakpoint-toggle) and run M-x dape.',
    ],
  };
}

export function helix(folder: string): OwnTextShape {
  return {
    folder,
    dialect: wholePaths(folder, true),
    paths: (slug) => ['.helix/languages.toml', `${ownFolder}/${slug}.toml`],
    comment: (text) => `# ${text}`,
    render: (configuration) => {
      const { type } = configuration.delegate;
      const entries = Object.entries(launchKeys(configuration))
        // Helix knows only texts there.
        .map(([key, value]) => `${key} = ${tomlText(typeof value === 'string' ? value : JSON.stringify(value))}`);
      const language = (name: string) => `[[language]]
name = ${tomlText(name)}

[language.debugger]
name = "kubernetes-local"
transport = "stdio"
command = "kubernetes-local"
args = ["dap", "--delegate", ${tomlText(type)}]

[[language.debugger.templates]]
name = ${tomlText(configuration.name)}
request = "launch"
completion = []

[language.debugger.templates.args]
${entries.join('\n')}

`;
      const known = languages(type).map((each) => ({ cs: 'c-sharp' })[each] ?? each);
      return `# kubernetes-local in Helix.\n\n${known.map(language).join('')}`;
    },
    advice: (path) => [
      ...(path.endsWith('languages.toml') ? [] : [`Add what is in ${path} to your .helix/languages.toml.`]),
      'Start Helix in this folder, set a breakpoint (Space, g, b) and launch (Space, g, l).',
    ],
  };
}

export function eclipse(folder: string): OwnTextShape {
  return {
    folder,
    dialect: wholePaths(folder, false),
    paths: (slug) => [`${slug}.launch`],
    comment: (text) => `<!-- ${text} -->`,
    render: (configuration) => `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- kubernetes-local in Eclipse with LSP4E. Eclipse writes this file anew when it is changed in its dialog. -->
<launchConfiguration type="org.eclipse.lsp4e.debug.launchType">
  <booleanAttribute key="org.eclipse.lsp4e.debug.model.ATTR_DSP_MONITOR_ADAPTER" value="false"/>
  <stringAttribute key="org.eclipse.lsp4e.debug.model.ATTR_DSP_MODE" value="launch server"/>
  <stringAttribute key="org.eclipse.lsp4e.debug.model.ATTR_DSP_CMD" value="kubernetes-local"/>
  <listAttribute key="org.eclipse.lsp4e.debug.model.ATTR_DSP_ARGS">
    <listEntry value="dap"/>
    <listEntry value="--delegate"/>
    <listEntry value='${xmlAttribute(configuration.delegate.type)}'/>
  </listAttribute>
  <stringAttribute key="org.eclipse.lsp4e.debug.model.ATTR_DSP_PARAM" value='${xmlAttribute(
    JSON.stringify(configuration, undefined, 2),
  ).replaceAll('\n', '\n  ')}'/>
</launchConfiguration>
`,
    advice: () => ['Set a breakpoint, then Run > Debug Configurations > Debug Adapter Launcher > Debug.'],
  };
}
