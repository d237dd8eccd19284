/**
 * The one error type that reaches a user.
 * It owns the catalogue of everything that can go wrong by the user's input or surroundings: code, exit code, DAP id.
 * Anything that is not a Problem is a defect of this program.
 */

/**
 * code → [exit code of the CLI, stable id of the DAP error]. Both are documented in docs/problems.md and never reused.
 * Exit codes: 2 bad input, 3 cluster not reachable or not allowed, 4 target, 5 workstation, 6 debugger, 7 undo incomplete.
 */
export const catalogue = {
  'unknown-key': [2, 2001],
  'wrong-type': [2, 2002],
  'missing-key': [2, 2003],
  'bad-value': [2, 2004],
  'bad-arguments': [2, 2005],
  'trace-unusable': [2, 2006],
  'kubeconfig-missing': [3, 3001],
  'kubeconfig-invalid': [3, 3002],
  'context-unknown': [3, 3003],
  'cluster-unreachable': [3, 3004],
  'credentials-refused': [3, 3005],
  'right-missing': [3, 3006],
  'namespace-unknown': [3, 3007],
  'target-missing': [4, 4001],
  'target-ambiguous': [4, 4002],
  'target-without-pods': [4, 4003],
  'service-without-selector': [4, 4004],
  'container-unknown': [4, 4005],
  'container-ambiguous': [4, 4006],
  'port-unknown': [4, 4007],
  'target-unsupported': [4, 4008],
  'target-held': [4, 4009],
  'patch-refused': [4, 4010],
  'rollout-failed': [4, 4011],
  'image-pull-failed': [4, 4012],
  'quota-exceeded': [4, 4013],
  'environment-unresolved': [4, 4014],
  'tunnel-failed': [4, 4015],
  'volume-unresolved': [4, 4016],
  'session-taken': [4, 4017],
  'reaper-unavailable': [4, 4019],
  'agent-unproven': [4, 4020],
  'workload-changed': [4, 4018],
  'port-in-use': [5, 5001],
  'privileges-needed': [5, 5002],
  'hosts-unwritable': [5, 5003],
  'daemon-failed': [5, 5004],
  'session-mismatch': [5, 5005],
  'state-unwritable': [5, 5006],
  'helper-failed': [5, 5007],
  'listen-failed': [5, 5008],
  'session-refused': [5, 5009],
  'namespace-unavailable': [5, 5010],
  'consent-refused': [5, 5011],
  'delegate-missing': [6, 6001],
  'delegate-unknown': [6, 6002],
  'delegate-died': [6, 6003],
  'command-missing': [6, 6004],
  cancelled: [130, 6005],
  'undo-incomplete': [7, 7001],
  defect: [70, 9001],
} as const satisfies Record<string, readonly [exitCode: number, dapId: number]>;

export type ProblemCode = keyof typeof catalogue;

/** What a Problem is when it crosses a process boundary. Holds no secrets: every writer of `what` and `why` sees to that. */
export interface ProblemData {
  readonly code: ProblemCode;
  /** What happened, one sentence, in the user's words. */
  readonly what: string;
  /** Why, as far as it is known: the reason given by the cluster, the system or the file. Empty if there is none. */
  readonly why: string;
  /** What the user can do now, one or two sentences. */
  readonly remedy: string;
}

/** An error that says what happened, why, and what to do. */
export class Problem extends Error implements ProblemData {
  readonly code: ProblemCode;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;

  constructor(data: ProblemData, options?: ErrorOptions) {
    super(inOneText([data.what, data.why, data.remedy]), options);
    this.name = 'Problem';
    this.code = data.code;
    this.what = data.what;
    this.why = data.why;
    this.remedy = data.remedy;
  }

  /** The exit code of a command that ends with this problem. */
  get exitCode(): number {
    return catalogue[this.code][0];
  }

  /** The stable id of this problem in a DAP error response. */
  get dapId(): number {
    return catalogue[this.code][1];
  }

  toJSON(): ProblemData {
    return { code: this.code, what: this.what, why: this.why, remedy: this.remedy };
  }

  /** The user does not want it any more. `cause`: what failed because of that. */
  static cancelled(cause?: unknown): Problem {
    return new Problem(
      { code: 'cancelled', what: 'Cancelled.', why: '', remedy: '' },
      cause === undefined ? {} : { cause },
    );
  }

  /** Any thrown value as a Problem; what is not one becomes `defect` with its message. */
  static from(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof Error && error.name === 'AbortError') {
      return Problem.cancelled(error);
    }
    const message = error instanceof Error ? error.message : String(error);
    return new Problem(
      {
        code: 'defect',
        what: 'kubernetes-local failed in a way it does not know.',
        why: message,
        remedy: 'Please report this with the log file; everything done so far is being undone.',
      },
      { cause: error },
    );
  }

  /** Whether a value that came over a socket is a Problem. */
  static isData(value: unknown): value is ProblemData {
    return (
      typeof value === 'object' &&
      value !== null &&
      'code' in value &&
      typeof value.code === 'string' &&
      value.code in catalogue &&
      'what' in value &&
      typeof value.what === 'string' &&
      'why' in value &&
      typeof value.why === 'string' &&
      'remedy' in value &&
      typeof value.remedy === 'string'
    );
  }
}

/** What others say (an errno, the API server, a program's last line) often has no full stop. */
function inOneText(sentences: readonly string[]): string {
  const [last = '', ...others] = sentences.filter(Boolean).toReversed();
  return [...others.toReversed().map((text) => (/[.!?:…]$/.test(text) ? text : `${text}.`)), last].join(' ');
}
