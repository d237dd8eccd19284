import { relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { configure } from '../configure/configure.ts';
import { detectEditor, type Editor, editorNames, editors } from '../configure/editor.ts';
import { beginPlace } from '../configure/place.ts';
import type { Prompter } from '../configure/prompter.ts';
import { parsePortMapping } from '../launch/configuration.ts';
import { Problem } from '../problem.ts';
import { commandLog } from './command-log.ts';
import { PlainPrompter, wantsPlainLines } from './plain-prompter.ts';
import { ownProgram } from './program.ts';
import { addContainerOptions, addPlaceOptions } from './target-options.ts';
import { showLine } from './terminal.ts';
import { TerminalPrompter } from './terminal-prompter.ts';
import { canAsk, ownTerminal } from './terminal-question.ts';
import { UsualAnswers } from './usual-answers.ts';

interface InitFlags {
  readonly editor?: Editor;
  readonly folder: string;
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: readonly string[];
  readonly program?: string;
  readonly agentImage?: string;
  readonly hook?: 'adapter' | 'task';
  readonly yes?: boolean;
}

/** `init`: asks which service runs here, and writes the launch configuration for it. */
export function initCommand(): Command {
  const command = new Command('init')
    .description('ask which service runs on this computer, and write the launch configuration for it')
    .addOption(
      new Option('--editor <editor>', 'whose files are written (default: as the folder tells)').choices(editors),
    )
    .option('--folder <folder>', 'the folder of your program', '.');
  return addContainerOptions(addPlaceOptions(command))
    .option('--program <name>', 'the launch configuration that starts your program')
    .option('--agent-image <image>', 'image of the agent')
    .addOption(
      new Option('--hook <hook>', 'VS Code: a configuration of its own, or a task before yours')
        .choices(['adapter', 'task'])
        .default('adapter'),
    )
    .option('-y, --yes', 'ask only what has no usual answer')
    .action(async (flags: InitFlags) => {
      using interrupt = interruptible();
      await init(flags, interrupt.signal);
    });
}

async function init(flags: InitFlags, signal: AbortSignal): Promise<void> {
  const folder = resolve(flags.folder);
  const prompter = prompterFor(flags, folder);
  const { kubeconfig, context, namespace, target, container, program, agentImage, hook } = flags;
  const mappings = (flags.port ?? []).map(parsePortMapping);
  const where = { kubeconfig, context, namespace, log: commandLog };
  // The cluster is asked already while the user reads the first question.
  const place = beginPlace(where, signal);
  const editor = flags.editor ?? detectEditor(folder) ?? (await whichEditor(prompter, signal));
  const { name, written, configuration, advice } = await configure(
    {
      folder,
      editor,
      prompter,
      log: commandLog,
      writeKubeconfig: true,
      command: ownProgram(),
      ...(place !== undefined && { place }),
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
      ...(namespace !== undefined && { namespace }),
      ...(target !== undefined && { target }),
      ...(container !== undefined && { container }),
      ...(mappings.length > 0 && {
        ports: Object.fromEntries(mappings.map(({ containerPort, localPort }) => [containerPort, localPort])),
      }),
      ...(program !== undefined && { program }),
      ...(agentImage !== undefined && { agentImage }),
      ...(hook !== undefined && { hook }),
    },
    signal,
  );
  if (editor === 'plain') process.stdout.write(`${JSON.stringify(configuration, undefined, 2)}\n`);
  for (const { path, created } of written) {
    showLine(`${created ? 'Written' : 'Changed'}: ${relative(process.cwd(), path) || path}`);
  }
  if (written.length > 0) showLine(`The configuration is called "${name}".`);
  for (const line of advice) showLine(line);
}

/** Who is asked. Problem bad-arguments if nobody can be, and not everything is known or usual. */
function prompterFor({ yes = false, editor, target }: InitFlags, folder: string): Prompter {
  if (canAsk(ownTerminal())) {
    const atTerminal = wantsPlainLines(process.env) ? new PlainPrompter() : new TerminalPrompter();
    return yes ? new UsualAnswers(atTerminal) : atTerminal;
  }
  const missing = [
    ...(editor === undefined && detectEditor(folder) === undefined ? ['--editor EDITOR'] : []),
    ...(target === undefined ? ['--target KIND/NAME'] : []),
    ...(yes ? [] : ['--yes']),
  ];
  if (missing.length === 0) return new UsualAnswers(undefined);
  throw new Problem({
    code: 'bad-arguments',
    what: '"kubernetes-local init" asks questions, and here is no terminal to ask them at.',
    why: '',
    remedy: `Run it in a terminal, or give ${missing.join(' and ')}.`,
  });
}

async function whichEditor(prompter: Prompter, signal: AbortSignal): Promise<Editor> {
  const choices = editors.map((editor) => ({ label: editorNames[editor], value: editor }));
  return await prompter.choose({ title: 'Which editor do you use?', option: '--editor', choices }, signal);
}

/** Ctrl-C where no question takes it. */
function interruptible(): Disposable & { readonly signal: AbortSignal } {
  const abort = new AbortController();
  const cancel = () =>
    abort.abort(new Problem({ code: 'cancelled', what: 'Cancelled.', why: 'Nothing was written.', remedy: '' }));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.once(name, cancel);
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, cancel);
    },
  };
}
