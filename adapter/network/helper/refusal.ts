/** Why the privileged helper does not do what it is asked for. */
import { Problem } from '../../problem.ts';
import { helperVersion } from './helper-protocol.ts';

/** The helper's no to a caller or a request. */
export function refusal(why: string): Problem {
  return new Problem({ code: 'helper-failed', what: 'The privileged helper refused.', why, remedy: '' });
}

/** The helper's no to a client of another version. Its words are read by the client: see `otherVersionIn`. */
export function versionRefusal(client: number): Problem {
  return new Problem({
    code: 'helper-failed',
    what: 'The privileged helper is of another version of kubernetes-local.',
    why: `It speaks version ${helperVersion}, its client version ${client}.`,
    remedy: 'Install kubernetes-local again, so that all its parts are of one version, and end running sessions.',
  });
}

/** The version of a helper that ended with `versionRefusal`, of whichever version of kubernetes-local; undefined if it ended otherwise. */
export function otherVersionIn(said: string): number | undefined {
  const version = /It speaks version (\d+), its client version \d+\./.exec(said)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** What the client makes of it: which of the two is newer, and what to do. */
export function otherVersion(helper: number, program: string): Problem {
  const isNewer = helper > helperVersion;
  return new Problem({
    code: 'helper-failed',
    what: 'The privileged helper is of another version of kubernetes-local than this session.',
    why: isNewer
      ? `The helper is newer (${helper}, the session ${helperVersion}): ${program} was updated while the session ran.`
      : `The helper is older (${helper}, the session ${helperVersion}): ${program} is of an earlier installation.`,
    remedy: isNewer
      ? 'End this session with "kubernetes-local restore", then start it again.'
      : 'Install kubernetes-local again, then start the session again.',
  });
}
