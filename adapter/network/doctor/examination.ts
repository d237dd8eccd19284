/** All that can be told about this computer before a session. Nothing on it is changed. */
import type { Problem } from '../../problem.ts';
import { type ElevationWay, elevationWay } from '../helper/elevation.ts';
import { hostsFilePath } from '../hosts/hosts-writer.ts';
import { namespaceObstacle } from '../namespace/obstacle.ts';
import { hasPasta } from '../namespace/pasta.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { runCommand } from '../platform/run-command.ts';
import { type Finding, limited, notPossible, ok } from './finding.ts';
import { hostsFileFinding, leftoversFinding } from './hosts-file.ts';
import {
  descriptorsFinding,
  loopbackFinding,
  lowPortsFinding,
  serviceAddressesFinding,
  wildcardsFinding,
} from './listening.ts';
import { cachesFinding, proxyFinding, switchFinding } from './name-resolution.ts';
import { autoFinding, type Verdict, verdicts } from './verdicts.ts';

/** What is looked at; tests put others in place of the ones that try the system. */
export interface Surroundings {
  readonly hostsFile: string;
  readonly environment: NodeJS.ProcessEnv;
  /** How this program is started: sudo may allow that and nothing else. */
  readonly program?: readonly string[];
  readonly elevation?: typeof elevationWay;
  readonly namespaceObstacle?: typeof namespaceObstacle;
  readonly hasPasta?: typeof hasPasta;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly modes: readonly Verdict[];
  readonly auto: Finding;
}

/** Looks at everything. Rejects only by the signal. */
export async function examineWorkstation(
  signal: AbortSignal,
  surroundings: Surroundings = { hostsFile: hostsFilePath(), environment: process.env },
): Promise<Examination> {
  const { hostsFile: path, environment, program } = surroundings;
  const elevation = surroundings.elevation ?? elevationWay;
  const obstacle = surroundings.namespaceObstacle ?? namespaceObstacle;
  const pasta = (surroundings.hasPasta ?? hasPasta)();
  const [
    hostsFile,
    leftovers,
    nameResolution,
    way,
    unavailable,
    loopback,
    addresses,
    lowPorts,
    descriptors,
    wildcards,
  ] = await Promise.all([
    hostsFileFinding(path, runCommand, signal),
    leftoversFinding(path),
    switchFinding(),
    elevation(signal, program === undefined ? {} : { command: program }),
    obstacle(signal),
    loopbackFinding(),
    serviceAddressesFinding(),
    lowPortsFinding(),
    descriptorsFinding(),
    wildcardsFinding(),
  ]);
  signal.throwIfAborted();
  const privileges = privilegesFinding(way, path !== systemHostsFile());
  const namespace = namespaceFinding(unavailable, pasta);
  const modes = verdicts({ hostsFile, nameResolution, addresses, privileges, namespace, loopback });
  return {
    findings: [
      ...[hostsFile, leftovers, nameResolution, cachesFinding(), proxyFinding(environment)],
      ...[privileges, namespace, loopback, addresses, lowPorts, descriptors, wildcards],
    ].filter((finding) => finding !== undefined),
    modes,
    auto: autoFinding(modes, { platform: process.platform, elevation: way.way, pasta }),
  };
}

/** Which elevation works. A test's hosts file needs none. */
export function privilegesFinding({ way, reason }: ElevationWay, isTest: boolean): Finding {
  const subject = 'privileges';
  if (isTest) return ok(subject, 'KUBERNETES_LOCAL_HOSTS_FILE names another hosts file, which needs none.');
  if (way === 'graphical') {
    return limited(subject, `Mode hosts asks for your consent, then your system for a password. ${reason}`);
  }
  if (way !== undefined) return ok(subject, `Mode hosts has what it needs, without a question. ${reason}`);
  const remedy = 'Run kubernetes-local as root or from a desktop session, or let sudo start it without a password.';
  return notPossible(subject, `The hosts file cannot be changed from here. ${reason}`, remedy);
}

/** Whether a private network works, and what it would lack. */
function namespaceFinding(obstacle: Problem | undefined, pasta: boolean): Finding {
  const subject = 'private network';
  if (obstacle !== undefined) {
    return notPossible(subject, obstacle.why || obstacle.what, obstacle.remedy === '' ? undefined : obstacle.remedy);
  }
  if (pasta) return ok(subject, 'It can be made, and pasta connects it with the rest of the network.');
  return limited(
    subject,
    'It can be made, but without pasta nothing but the cluster is reachable from it: no internet, no other computers, not this computer’s own localhost.',
    'Install pasta (Debian and Ubuntu: apt install passt).',
  );
}
