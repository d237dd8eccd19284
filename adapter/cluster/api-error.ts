/** What the API server answers when it says no, as a Problem, with the server's own message. */
import { z } from 'zod';
import { Problem, type ProblemData } from '../problem.ts';

const statusSchema = z.looseObject({
  kind: z.literal('Status'),
  message: z.string().default(''),
  reason: z.string().default(''),
});

/** An answer of the API server outside 2xx. Callers handle the statuses they expect; the rest reads well as it is. */
export class ApiError extends Problem {
  readonly status: number;
  /** The machine-readable reason of the Status object: NotFound, AlreadyExists, Conflict, Forbidden, Invalid, Expired … */
  readonly reason: string;

  constructor(method: string, path: string, status: number, body: string) {
    const answer = parseStatus(body);
    super(describe(method, path, status, answer.message));
    this.name = 'ApiError';
    this.status = status;
    this.reason = answer.reason;
  }
}

/** Whether an error is the API server's answer with this HTTP status. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): error is ApiError {
  return error instanceof ApiError && statuses.includes(error.status);
}

/** `undefined` instead of an answer with one of these HTTP statuses. */
export async function unless<T>(statuses: readonly number[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasStatus(error, ...statuses)) return undefined;
    throw error;
  }
}

function parseStatus(body: string): { message: string; reason: string } {
  try {
    const status = statusSchema.safeParse(JSON.parse(body));
    if (status.success) return status.data;
  } catch {
    // Not JSON: a proxy or load balancer answered.
  }
  return { message: body.trim().slice(0, 500), reason: '' };
}

function describe(method: string, path: string, status: number, message: string): ProblemData {
  const request = `${method} ${path}`;
  const why = message || `HTTP ${status}`;
  if (status === 401) {
    return {
      code: 'credentials-refused',
      what: 'The cluster does not accept your credentials.',
      why,
      remedy: 'Sign in again (try "kubectl get pods") and start once more.',
    };
  }
  // For a port-forward without `create` the API server (1.35) says neither verb nor resource.
  const isPortForward = path.endsWith('/portforward');
  if (status === 403 && (isPortForward || / cannot \w+ resource /.test(message))) {
    return {
      code: 'right-missing',
      what: 'You lack a right in the cluster.',
      why: isPortForward ? `${why} A tunnel needs get and create on pods/portforward.` : why,
      remedy: 'Ask the cluster administrator for the Role in the documentation.',
    };
  }
  if (status === 429 || status >= 500) {
    return {
      code: 'cluster-unreachable',
      what: `The API server could not answer ${request} (HTTP ${status}).`,
      why,
      remedy: 'Try again.',
    };
  }
  return {
    code: method === 'GET' && status === 404 ? 'target-missing' : 'patch-refused',
    what: `The API server refused ${request} (HTTP ${status}).`,
    why,
    remedy: 'Correct what the cluster names, or ask its administrator.',
  };
}
