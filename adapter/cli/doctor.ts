import { Command } from 'commander';
import { parsePortMapping } from '../launch/configuration.ts';
import { type Examination, examineWorkstation } from '../network/doctor/examination.ts';
import type { Finding } from '../network/doctor/finding.ts';
import { hostsFilePath } from '../network/hosts/hosts-writer.ts';
import { type ClusterFindings, clusterFindings } from './cluster-findings.ts';
import { ownProgram } from './program.ts';
import { repeated } from './target-options.ts';
import { wrap } from './text-layout.ts';

/** The exit code where no network mode works: that of the workstation's problems. */
const noModeWorks = 5;

interface DoctorFlags {
  readonly json?: boolean;
  readonly target?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly container?: string;
  readonly port?: readonly string[];
}

/** `doctor`: what will work here, before anything is touched. Ends with 0 if a session can stand here. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what will work on this computer, and with --target in the cluster; changes nothing')
    .option('--json', 'as JSON')
    .option('-t, --target <target>', 'also check this target and your rights on it')
    .option('-n, --namespace <namespace>', "namespace of the target (default: the context's)")
    .option('--context <context>', 'also check the cluster of this context of the kubeconfig')
    .option('--kubeconfig <path>', 'kubeconfig file or list (default: KUBECONFIG, ~/.kube/config)')
    .option('-c, --container <container>', "container to replace (default: the one the Service's ports lead to)")
    .option('-p, --port <mapping>', 'container port or name : local port; may be repeated', repeated)
    .action(async (flags: DoctorFlags) => {
      const { signal } = new AbortController();
      const { json, port = [], target, namespace, context, kubeconfig, container } = flags;
      const question = {
        ...{ ...(target !== undefined && { target }), ...(namespace !== undefined && { namespace }) },
        ...{ ...(context !== undefined && { context }), ...(kubeconfig !== undefined && { kubeconfig }) },
        ...(container !== undefined && { container }),
        ports: Object.fromEntries(
          port.map(parsePortMapping).map(({ containerPort, localPort }) => [containerPort, localPort]),
        ),
      };
      const isAsked = [target, namespace, context, kubeconfig].some((flag) => flag !== undefined);
      const [workstation, cluster] = await Promise.all([
        examineWorkstation(signal, {
          hostsFile: hostsFilePath(),
          environment: process.env,
          program: ownProgram(),
        }),
        isAsked ? clusterFindings(question, signal) : undefined,
      ]);
      const report = describeReport(workstation, cluster, process.stdout.columns || Number.POSITIVE_INFINITY);
      const data = { node: process.version, ...workstation, ...(cluster && { cluster: cluster.findings }) };
      process.stdout.write(json ? `${JSON.stringify(data, undefined, 2)}\n` : report);
      process.exitCode = exitCodeOf(workstation, cluster);
    });
}

/** 0 if a network mode works and the cluster, if it was asked about, lets a session stand; else that of the first problem. */
export function exitCodeOf({ modes }: Pick<Examination, 'modes'>, cluster: ClusterFindings | undefined): number {
  if (modes.every(({ finding }) => finding.outcome === 'not possible')) return noModeWorks;
  return cluster?.problem?.exitCode ?? 0;
}

/** The report as text, for a terminal of this width. */
export function describeReport(workstation: Examination, cluster: ClusterFindings | undefined, width: number): string {
  const sections: readonly (readonly [string, readonly Finding[]])[] = [
    [
      'This computer',
      [{ subject: 'Node', outcome: 'ok', text: `${process.version} is recent enough.` }, ...workstation.findings],
    ],
    ...(cluster ? [['The cluster', cluster.findings] as const] : []),
    ['Network modes', [...workstation.modes.map(({ finding }) => finding), workstation.auto]],
  ];
  return sections
    .map(
      ([title, findings]) => `${title}\n${findings.flatMap((finding) => describeFinding(finding, width)).join('\n')}\n`,
    )
    .join('\n');
}

const outcomeWidth = 'not possible'.length;

function describeFinding({ outcome, subject, text, remedy }: Finding, width: number): readonly string[] {
  const indent = ' '.repeat(outcomeWidth + 4);
  const lines = wrap(`${subject}: ${text}`, Math.max(width - indent.length, 20));
  const remedies = remedy === undefined ? [] : wrap(`→ ${remedy}`, Math.max(width - indent.length, 20), '  ');
  return [...lines, ...remedies].map((line, index) =>
    index === 0 ? `  ${outcome.padEnd(outcomeWidth)}  ${line}` : `${indent}${line}`,
  );
}
