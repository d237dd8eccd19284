/** What an IDE can offer to do about a problem, as a button beside its text. */
import type { ProblemCode } from './problem.ts';

export type RemedyCommand = 'restore' | 'status' | 'diagnose' | 'doctor' | 'docs' | 'configure' | 'retry';

export interface Remedy {
  readonly command: RemedyCommand;
  /** The text of the button. */
  readonly label: string;
  /** For `docs`: the page in docs/, with its anchor. */
  readonly page?: string;
}

const restore: Remedy = { command: 'restore', label: 'Restore' };
const status: Remedy = { command: 'status', label: 'Show Sessions' };
const diagnose: Remedy = { command: 'diagnose', label: 'Show Diagnostics' };
const doctor: Remedy = { command: 'doctor', label: 'Check This Computer' };
const configure: Remedy = { command: 'configure', label: 'Configure' };
const retry: Remedy = { command: 'retry', label: 'Try Again' };
const page = (page: string, label: string): Remedy => ({ command: 'docs', label, page });

const remedies: Readonly<Partial<Record<ProblemCode, readonly Remedy[]>>> = {
  'unknown-key': [page('launch-configuration.md', 'Show All Keys')],
  'wrong-type': [page('launch-configuration.md', 'Show All Keys')],
  'missing-key': [configure, page('launch-configuration.md', 'Show All Keys')],
  'bad-value': [page('launch-configuration.md', 'Show All Keys')],
  'cluster-unreachable': [retry, doctor],
  'credentials-refused': [retry],
  'context-unknown': [configure],
  'namespace-unknown': [configure],
  'right-missing': [page('rights.md', 'Show the Role')],
  'target-missing': [configure],
  'target-ambiguous': [configure],
  'container-unknown': [configure],
  'container-ambiguous': [configure],
  'port-unknown': [configure],
  'target-without-pods': [retry],
  'target-held': [retry, status],
  'session-taken': [retry, status],
  'image-pull-failed': [page('agent-image.md', 'About the Image')],
  'rollout-failed': [diagnose],
  'tunnel-failed': [retry, diagnose],
  'port-in-use': [retry, doctor],
  'privileges-needed': [page('network.md', 'About Network Modes')],
  'consent-refused': [page('network.md', 'About Network Modes')],
  'hosts-unwritable': [doctor],
  'daemon-failed': [restore, diagnose],
  'session-mismatch': [status],
  'helper-failed': [doctor],
  'listen-failed': [doctor],
  'namespace-unavailable': [doctor],
  'delegate-missing': [page('debuggers.md', 'About Debuggers')],
  'delegate-unknown': [page('debuggers.md', 'About Debuggers')],
  'undo-incomplete': [restore],
  defect: [diagnose],
};

/** The buttons for a problem, the most useful first; none where only its text helps. */
export function remediesFor(code: ProblemCode): readonly Remedy[] {
  return remedies[code] ?? [];
}
