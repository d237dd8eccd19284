/**
 * What is done about a port in use: another port, the end of the process that uses it, or nothing. The user decides, by
 * an answer to a question or beforehand by "onPortConflict"; a question is plain data, so that it can travel.
 */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Problem } from '../../problem.ts';
import { conflictOn, describeHolder, isFree, type PortConflict, type PortHolder } from './conflict.ts';
import { processTable } from './own-process-table.ts';
import { listenProblem } from './ports.ts';
import type { ProcessTable } from './process-table.ts';
import { endProcess, reasonToSpare } from './stop-process.ts';

/** `impossible`: there is nobody to ask. `stop` and `force` are consent to end the process that the question names. */
export const portAnswerSchema = z.enum(['other-port', 'stop', 'force', 'cancel', 'impossible']);
export type PortAnswer = z.infer<typeof portAnswerSchema>;

/** A question with the answers that it allows, the safest one last. */
export const portQuestionSchema = z.object({
  text: z.string(),
  choices: z.array(z.object({ answer: portAnswerSchema, text: z.string() })),
});
export type PortQuestion = z.infer<typeof portQuestionSchema>;
export type AskAboutPort = (question: PortQuestion, signal: AbortSignal) => Promise<PortAnswer>;

/** As "onPortConflict" of the launch configuration. */
export type PortPolicy = 'ask' | 'fail' | 'other-port' | 'stop';

/** How the conflict was resolved, with a sentence for the user. */
export type PortResolution =
  | { readonly kind: 'other-port'; readonly port: number; readonly text: string }
  | { readonly kind: 'stopped'; readonly text: string };

export interface ResolveOptions {
  readonly signal: AbortSignal;
  /** Local ports that are spoken for: never offered. */
  readonly avoid?: ReadonlySet<number>;
  /** Processes that are never ended, nor those that started them: the clients of the session. This process never is. */
  readonly protect?: readonly number[];
  /** For tests. */
  readonly table?: ProcessTable;
  /** ms that a process has to end after it was asked. */
  readonly patience?: number;
}

const defaultPatience = 5_000;
const closeMilliseconds = 1_000;
const pollMilliseconds = 50;

/** Problem port-in-use if it stays in use: nobody could be asked, the user cancelled, or the process did not end. */
export async function resolveConflict(
  conflict: PortConflict,
  policy: PortPolicy,
  ask: AskAboutPort,
  options: ResolveOptions,
): Promise<PortResolution> {
  const { signal, protect = [], table = processTable() } = options;
  const { owner } = conflict;
  if (policy === 'fail') throw inUse(conflict, '');
  const spared =
    owner === undefined
      ? 'Which process it is cannot be seen by this user.'
      : await reasonToSpare(owner, protect, table, signal);
  if (policy === 'stop') {
    if (owner === undefined || spared !== undefined) throw inUse(conflict, `It is not stopped. ${spared}`);
    return stop(conflict, owner, ask, options);
  }
  const other = await freePort(conflict.port, options.avoid ?? new Set());
  const taken = { kind: 'other-port', port: other, text: otherPortText(conflict, other) } as const;
  if (policy === 'other-port') return taken;
  const question: PortQuestion = {
    text: [
      `Port ${conflict.port} is in use${owner ? ` by ${describeHolder(owner)}` : ''}.`,
      ...(owner && owner.commandLine !== '' ? [`Its command line: ${owner.commandLine}`] : []),
      ...(spared === undefined ? [] : [`It cannot be stopped from here. ${spared}`]),
    ].join('\n'),
    choices: [
      { answer: 'other-port', text: `Use port ${other} instead; your program has to listen there.` },
      ...(owner !== undefined && spared === undefined
        ? [{ answer: 'stop' as const, text: `Stop ${describeHolder(owner)}.` }]
        : []),
      { answer: 'cancel', text: 'Cancel.' },
    ],
  };
  const answer = await answerTo(question, ask, signal);
  if (answer === 'other-port') return taken;
  if (answer === 'stop' && owner !== undefined) return stop(conflict, owner, ask, options);
  throw inUse(conflict, answer === 'impossible' ? 'There is no terminal to ask you at.' : 'You cancelled.');
}

/** Ends the process; by force only after another question. Another one that takes the port at once is not chased. */
async function stop(
  conflict: PortConflict,
  owner: PortHolder,
  ask: AskAboutPort,
  { signal, table = processTable(), patience = defaultPatience }: ResolveOptions,
): Promise<PortResolution> {
  const was = `${describeHolder(owner)}${owner.commandLine === '' ? '' : `: ${owner.commandLine}`}`;
  let how = 'Stopped';
  if (!(await endProcess(owner, 'gracefully', patience, table, signal))) {
    const question: PortQuestion = {
      text: `${describeHolder(owner)} was asked to end and still runs after ${patience / 1000} seconds.`,
      choices: [
        { answer: 'force', text: 'End it by force. It cannot save anything then.' },
        { answer: 'cancel', text: 'Cancel.' },
      ],
    };
    const answer = await answerTo(question, ask, signal);
    if (answer !== 'force') throw inUse(conflict, 'It was asked to end and still runs.');
    if (!(await endProcess(owner, 'by force', patience, table, signal)))
      throw inUse(conflict, 'It could not be ended.');
    how = 'Ended by force';
  }
  const next = await conflictAfter(conflict.port, table, signal);
  if (next) throw inUse(next, `${how}: ${was}. The port was taken again at once, or was shared.`);
  return { kind: 'stopped', text: `${how}: ${was}.` };
}

/** The system closes the sockets of a process a moment after its end. */
async function conflictAfter(
  port: number,
  table: ProcessTable,
  signal: AbortSignal,
): Promise<PortConflict | undefined> {
  const deadline = performance.now() + closeMilliseconds;
  for (;;) {
    const conflict = await conflictOn(port, signal, table);
    if (conflict === undefined || performance.now() >= deadline) return conflict;
    await delay(pollMilliseconds, undefined, { signal });
  }
}

/** An answer that was not among the choices is none. */
async function answerTo(question: PortQuestion, ask: AskAboutPort, signal: AbortSignal): Promise<PortAnswer> {
  const answer = await ask(question, signal);
  signal.throwIfAborted();
  return answer === 'impossible' || question.choices.some((choice) => choice.answer === answer) ? answer : 'cancel';
}

/** A free port that is easy to remember (8080 → 18080, 80 → 8080), else any. Errors of listen(2). */
async function freePort(port: number, avoid: ReadonlySet<number>): Promise<number> {
  const step = port < 1024 ? 8_000 : 10_000;
  for (let candidate = port + step; candidate <= 65_535; candidate += step) {
    if (!avoid.has(candidate) && (await isFree(candidate))) return candidate;
  }
  for (;;) {
    const candidate = await anyPort();
    if (!avoid.has(candidate)) return candidate;
  }
}

async function anyPort(): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host: '127.0.0.1', port: 0, exclusive: true }, resolve);
    });
  } catch (error) {
    throw await listenProblem(error, '127.0.0.1', 0);
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function otherPortText({ containerPort, port }: PortConflict, other: number): string {
  const requests = containerPort === undefined ? 'Requests' : `Requests for port ${containerPort}`;
  return `Port ${port} is in use. ${requests} reach 127.0.0.1:${other} instead: let your program listen there.`;
}

function inUse({ port, owner }: PortConflict, more: string): Problem {
  const who = owner ? `It is used by ${describeHolder(owner)}.` : 'Its owner cannot be seen.';
  return new Problem({
    code: 'port-in-use',
    what: `Port ${port} of 127.0.0.1 is in use.`,
    why: [who, more].filter(Boolean).join(' '),
    remedy: 'Stop it, choose another local port with "ports", or say with "onPortConflict" what to do.',
  });
}
