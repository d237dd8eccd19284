import { Command, Option } from 'commander';
import { parsePortMapping } from '../launch/configuration.ts';
import { type Examination, examineWorkstation } from '../network/doctor/examination.ts';
import { type Finding, notPossible } from '../network/doctor/finding.ts';
import { hostsFilePath } from '../network/hosts/hosts-writer.ts';
import { Problem } from '../problem.ts';
import { defaultAgentImage } from '../session/client/session-request.ts';
import { type ClusterFindings, type ClusterQuestion, clusterFindings, portsFinding } from './cluster-findings.ts';
import { type DebuggerFinding, debuggerFinding } from './debugger-finding.ts';
import { describeFinding } from './finding-view.ts';
import { ownProgram } from './program.ts';

import { addContainerOptions, addPlaceOptions } from './target-options.ts';

/** The exit code where no network mode works: that of the workstation's problems. */
const noModeWorks = 5;

interface DoctorFlags {
  readonly json?: boolean;
  readonly format: 'text' | 'json';
  readonly delegate?: string;
  readonly agentImage?: string;
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: readonly string[];
}

/** `doctor`: what will work here, before anything is touched. Ends with 0 if a session can stand here. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('check what will work on this computer, and with --target in the cluster; changes nothing')
    .addOption(new Option('--format <format>', 'how it is shown').choices(['text', 'json']).default('text'))
    .option('--json', 'the same as --format json')
    .option('--delegate <type>', 'also check this real debugger: debugpy, …')
    .option('--agent-image <image>', 'image of the agent');
  return addContainerOptions(addPlaceOptions(command)).action(async (flags: DoctorFlags) => {
    const report = await examine(flags, new AbortController().signal);
    const width = process.stdout.columns || Number.POSITIVE_INFINITY;
    const asJson = flags.json === true || flags.format === 'json';
    process.stdout.write(
      asJson ? `${JSON.stringify(reportData(report), undefined, 2)}\n` : describeReport(report, width),
    );
    process.exitCode = exitCodeOf(report);
  });
}

/** What is to be looked at beside this computer. */
export type DoctorQuestion = Pick<
  DoctorFlags,
  'target' | 'namespace' | 'context' | 'kubeconfig' | 'container' | 'port' | 'delegate' | 'agentImage'
>;

/** All that the doctor has looked at. */
export interface DoctorReport {
  readonly workstation: Examination;
  /** The cluster, if it was asked about. */
  readonly cluster?: ClusterFindings | undefined;
  readonly debugger?: DebuggerFinding | undefined;
  /** Local ports, if they were given without a target. */
  readonly ports?: Finding | undefined;
}

/** Looks at it all; changes nothing. Problem bad-value or bad-arguments for options that cannot be understood. */
export async function examine(asked: DoctorQuestion, signal: AbortSignal): Promise<DoctorReport> {
  const { port = [], target, namespace, context, kubeconfig, container, delegate, agentImage } = asked;
  const mappings = port.map(parsePortMapping);
  const question: ClusterQuestion = {
    ...{ ...(target !== undefined && { target }), ...(namespace !== undefined && { namespace }) },
    ...{ ...(context !== undefined && { context }), ...(kubeconfig !== undefined && { kubeconfig }) },
    ...(container !== undefined && { container }),
    ports: Object.fromEntries(mappings.map(({ containerPort, localPort }) => [containerPort, localPort])),
    agentImage: agentImage ?? process.env.KUBERNETES_LOCAL_AGENT_IMAGE ?? defaultAgentImage,
  };
  const isAsked = [target, namespace, context, kubeconfig].some((flag) => flag !== undefined);
  const [workstation, cluster, debuggerFound, ports] = await Promise.all([
    examineWorkstation(signal, { hostsFile: hostsFilePath(), environment: process.env, program: ownProgram() }),
    isAsked ? clusterFindings(question, signal) : undefined,
    delegate === undefined ? undefined : debuggerFinding(delegate, signal),
    target === undefined && mappings.length > 0
      ? localPorts(
          mappings.map(({ localPort }) => localPort),
          signal,
        )
      : undefined,
  ]);
  return { workstation, cluster, debugger: debuggerFound, ports };
}

/** Without a target it is not known which ports of the container they stand for. */
async function localPorts(ports: readonly number[], signal: AbortSignal): Promise<Finding> {
  const subject = 'local ports';
  try {
    return await portsFinding(subject, new Map(ports.map((port) => [port, port])), signal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return notPossible(subject, [error.what, error.why].filter(Boolean).join(' '), error.remedy);
  }
}

/** The report as plain data. */
export function reportData({ workstation, cluster, debugger: its, ports }: DoctorReport): object {
  return {
    node: process.version,
    ...workstation,
    ...(cluster && { cluster: cluster.findings }),
    ...(its && { debugger: [its.finding] }),
    ...(ports && { ports: [ports] }),
  };
}

/** 0 if a network mode works, and cluster and debugger, as far as asked about, let a session stand; else that of the first problem. */
export function exitCodeOf(report: {
  readonly workstation: Pick<Examination, 'modes'>;
  readonly cluster?: Pick<ClusterFindings, 'problem'> | undefined;
  readonly debugger?: Pick<DebuggerFinding, 'problem'> | undefined;
}): number {
  if (report.workstation.modes.every(({ finding }) => finding.outcome === 'not possible')) return noModeWorks;
  return report.cluster?.problem?.exitCode ?? report.debugger?.problem?.exitCode ?? 0;
}

/** The report as text, for a terminal of this width. */
export function describeReport({ workstation, cluster, debugger: its, ports }: DoctorReport, width: number): string {
  const node: Finding = { subject: 'Node', outcome: 'ok', text: `${process.version} is recent enough.` };
  const sections: readonly (readonly [string, readonly Finding[]])[] = [
    ['This computer', [node, ...workstation.findings, ...(ports ? [ports] : [])]],
    ...(its ? [['The debugger', [its.finding]] as const] : []),
    ...(cluster ? [['The cluster', cluster.findings] as const] : []),
    ['Network modes', [...workstation.modes.map(({ finding }) => finding), workstation.auto]],
  ];
  return sections.map(([title, findings]) => `${title}\n${describeAll(findings, width)}\n`).join('\n');
}

function describeAll(findings: readonly Finding[], width: number): string {
  return findings
    .flatMap((finding) => describeFinding(finding, width - 2))
    .map((line) => `  ${line}`)
    .join('\n');
}
