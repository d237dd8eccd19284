/**
 * The one-time prompt: from nothing but a folder to a configuration that F5 starts. Asks only what cannot be known, and
 * writes only when every question is answered.
 */
import { basename } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { ContainerAmbiguous } from '../cluster/containers.ts';
import { parseTarget } from '../cluster/kinds.ts';
import { type ResolvedTarget, resolveTarget } from '../cluster/target.ts';
import { type Log, silentLog } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { asProgram } from './delegate.ts';
import { canSay, sayProgram } from './dialect.ts';
import type { EditorFiles, ExistingConfiguration, OwnConfiguration, Program } from './draft.ts';
import type { Editor } from './editor.ts';
import { openEditorFiles } from './files/editor-files.ts';
import type { Written } from './files/text-file.ts';
import { freshConfigurations } from './fresh.ts';
import { asTarget, type ChosenTarget, chooseTarget, openPlace, type Place } from './place.ts';
import { asPort, guessPort } from './port-guess.ts';
import type { Choice, Prompter } from './prompter.ts';

export interface ConfigureOptions {
  readonly folder: string;
  readonly editor: Editor;
  readonly prompter: Prompter;
  readonly kubeconfig?: string;
  /** Whether that kubeconfig is written down too; otherwise it is the one that is used without it. */
  readonly writeKubeconfig?: boolean;
  readonly context?: string;
  readonly namespace?: string;
  readonly target?: string;
  readonly container?: string;
  /** Container port to local port; nothing is asked about ports then. */
  readonly ports?: Readonly<Record<string, number>>;
  /** The name of the launch configuration that starts the program. */
  readonly program?: string;
  readonly agentImage?: string;
  readonly currentFile?: string;
  readonly hook?: 'adapter' | 'task';
  /** What starts this program, for editors that do not look for one on the PATH. */
  readonly command?: readonly string[];
  readonly log?: Log;
  /** If the cluster is read already, with the same options. */
  readonly place?: Promise<Place>;
}

export interface Configured {
  readonly name: string;
  readonly written: readonly Written[];
  readonly configuration: Record<string, unknown>;
  /** What is left to do for the user, one line each. */
  readonly advice: readonly string[];
}

/** Of more ports nobody wants to be asked. */
const mostPortQuestions = 3;

/**
 * Asks and writes. Problem cancelled if the user went away: nothing is written. Problem bad-value for a file that cannot be
 * read or written, before anything is asked where that is possible; Problems of the cluster as openCluster and resolveTarget.
 */
export async function configure(options: ConfigureOptions, signal: AbortSignal): Promise<Configured> {
  const { folder, editor, prompter, agentImage } = options;
  const files = openEditorFiles(editor, folder, options.hook ?? 'adapter', options.command ?? ['kubernetes-local']);
  const named = options.program === undefined ? undefined : namedProgram(options.program, files.existing);
  const { cluster, target } = await whichTarget(options, files, signal);
  const replaced = await whichToReplace(files.own, cluster, target, prompter, signal);
  const { container, resolved } = await whichContainer(cluster, target, options.container, prompter, signal);
  const ports = options.ports ?? (await whichPorts(options, files, resolved, replaced, signal));
  const { program, of } = named ?? (await whichProgram(options, files, replaced, signal));
  const name = replaced?.name ?? newName(of ?? parseTarget(target).name, files);
  const needsPorts = Object.entries(ports).some(([inside, here]) => inside !== String(here));
  const writtenContainer = container ?? (replaced?.container === undefined ? undefined : resolved?.container);
  const draft = {
    name,
    place: {
      target,
      // Always: whoever switches their kubectl to another cluster must not replace something there by pressing F5.
      context: cluster.context,
      namespace: cluster.namespace,
      ...(options.writeKubeconfig && options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }),
      ...(writtenContainer !== undefined && { container: writtenContainer }),
      ...((needsPorts || Object.keys(replaced?.ports ?? {}).length > 0) && { ports }),
      ...(agentImage !== undefined && { agentImage }),
    },
    program: program && sayProgram(program, files.dialect),
    replaces: replaced?.name,
  };
  signal.throwIfAborted();
  const { configuration, written, advice } = await files.write(draft);
  return { name, written, configuration, advice };
}

async function whichTarget(
  { folder, target, prompter, place, log = silentLog, ...where }: ConfigureOptions,
  files: EditorFiles,
  signal: AbortSignal,
): Promise<ChosenTarget> {
  const options = { kubeconfig: where.kubeconfig, context: where.context, namespace: where.namespace, log };
  if (target === undefined) {
    const known = files.own.map((own) => parseTarget(own.target).name);
    return await chooseTarget(options, place, [...known, basename(folder)], prompter, signal);
  }
  const named = asTarget(target);
  const { cluster } = await prompter.wait(
    'Looking into the cluster',
    (ended) => place ?? openPlace(options, ended),
    signal,
  );
  return { cluster, target: named };
}

/** One of ours for the same target, if the user wants it replaced. */
async function whichToReplace(
  own: readonly OwnConfiguration[],
  cluster: Cluster,
  target: string,
  prompter: Prompter,
  signal: AbortSignal,
): Promise<OwnConfiguration | undefined> {
  const same = own.find(
    (each) =>
      isSameTarget(each.target, target) &&
      (each.namespace ?? cluster.namespace) === cluster.namespace &&
      (each.context ?? cluster.context) === cluster.context,
  );
  if (same === undefined) return undefined;
  return await prompter.choose<OwnConfiguration | undefined>(
    {
      title: `"${same.name}" is for this target already.`,
      choices: [
        { label: 'Replace', description: 'what is asked now; the rest of it stays', value: same },
        { label: 'Keep both', value: undefined },
      ],
      initial: same,
    },
    signal,
  );
}

function isSameTarget(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => parseTarget(text));
  return a?.name === b?.name && (a?.kind ?? 'Service') === (b?.kind ?? 'Service');
}

async function whichContainer(
  cluster: Cluster,
  target: string,
  wanted: string | undefined,
  prompter: Prompter,
  signal: AbortSignal,
): Promise<{ readonly container: string | undefined; readonly resolved: ResolvedTarget | undefined }> {
  const look = (container: string | undefined) =>
    prompter.wait(
      `Looking at ${target}`,
      (ended) => resolveTarget(cluster, target, container, ended, { evenIfHeld: true }),
      signal,
    );
  try {
    return { container: wanted, resolved: await look(wanted) };
  } catch (error) {
    // What may not be read now is told when a session begins; the configuration can be right all the same.
    if (error instanceof Problem && error.code === 'right-missing') return { container: wanted, resolved: undefined };
    if (!(error instanceof ContainerAmbiguous)) throw error;
    const choices = error.containers.map((name) => ({ label: name, value: name }));
    const container = await prompter.choose(
      { title: `Which container of ${target} runs on this computer?`, option: '--container', choices },
      signal,
    );
    return { container, resolved: await look(container) };
  }
}

async function whichPorts(
  { folder, prompter }: ConfigureOptions,
  { existing }: EditorFiles,
  resolved: ResolvedTarget | undefined,
  replaced: OwnConfiguration | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const before = replaced?.ports ?? {};
  const containerPorts = resolved?.containerPorts ?? [];
  if (containerPorts.length > mostPortQuestions) return before;
  const guess = guessPort(folder, existing);
  const main = resolved?.services[0]?.ports[0]?.containerPort ?? containerPorts[0];
  const ports: Record<string, number> = { ...before };
  for (const containerPort of containerPorts) {
    const known = before[String(containerPort)];
    const told = known === undefined && containerPort === main && guess !== undefined ? guess : undefined;
    const title = `On which port does your program listen here, for port ${containerPort} of ${resolved?.container ?? 'the container'}?`;
    const initial = known ?? told?.port ?? containerPort;
    const text = await prompter.enter(
      {
        title: told === undefined ? title : `${title} ${told.source} says ${told.port}.`,
        option: '--port',
        initial: String(initial),
        check: (text) => {
          const port = asPort(text.trim());
          if (port === undefined) return 'A port is a number from 1 to 65535.';
          const other = Object.entries(ports).find(([of, local]) => local === port && of !== String(containerPort));
          return other && `Port ${other[0]} of the container has that one already.`;
        },
      },
      signal,
    );
    ports[String(containerPort)] = Number(text.trim());
  }
  return ports;
}

interface ChosenProgram {
  /** undefined: the one of the configuration that is replaced. */
  readonly program: Program | undefined;
  /** The name of the configuration that it comes from. */
  readonly of?: string;
}

async function whichProgram(
  { folder, prompter, currentFile }: ConfigureOptions,
  { existing, dialect }: EditorFiles,
  replaced: OwnConfiguration | undefined,
  signal: AbortSignal,
): Promise<ChosenProgram> {
  const starting = existing.toSorted((a, b) => Number(isAttach(a)) - Number(isAttach(b)));
  const fresh = freshConfigurations(folder, currentFile, (settings) => canSay(settings, dialect));
  const choices: Choice<ChosenProgram>[] = [
    ...(replaced?.debugger === undefined
      ? []
      : [{ label: 'As it is', description: `debugger ${replaced.debugger}`, value: { program: undefined } }]),
    ...starting.map((each) => ({
      label: each.name,
      description: isAttach(each) ? 'attaches to a program that runs already' : `your launch configuration`,
      value: ofExisting(each),
    })),
    ...fresh.map(({ language, starts, settings }) => ({
      label: `A new one for ${language}`,
      description: starts,
      value: { program: asProgram(settings) },
    })),
  ];
  const [first] = choices;
  if (first === undefined || choices.length === 1) return first?.value ?? { program: undefined };
  return await prompter.choose(
    { title: 'What starts your program?', option: '--program', choices, initial: first.value },
    signal,
  );
}

function ofExisting({ name, settings }: ExistingConfiguration): ChosenProgram {
  return { program: asProgram(settings), of: name };
}

function isAttach({ settings }: ExistingConfiguration): boolean {
  return settings.request === 'attach';
}

function namedProgram(name: string, existing: readonly ExistingConfiguration[]): ChosenProgram {
  const named = existing.find((each) => each.name === name);
  if (named !== undefined) return ofExisting(named);
  const names = existing.map((each) => `"${each.name}"`);
  throw new Problem({
    code: 'bad-arguments',
    what: `There is no launch configuration "${name}".`,
    why: names.length === 0 ? 'There is none at all.' : `There are: ${names.join(', ')}.`,
    remedy: 'Name one of them, or leave it out.',
  });
}

/** Not taken yet. */
function newName(of: string, { existing, own }: EditorFiles): string {
  const taken = new Set([...existing, ...own].map(({ name }) => name));
  const wanted = `${of} in the cluster`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted} ${number}`;
    if (!taken.has(name)) return name;
  }
}
