/** What runs: the first thing that a bug report has to say. */
import { arch, release } from 'node:os';
import { protocolVersion } from '../../agent/protocol.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { Diagnosis } from './diagnosis.ts';

/** The versions of this process; `sessionProtocol` is session/protocol.ts', `cluster` as the API server tells it. */
export function versionsHere(sessionProtocol: number, cluster?: string): Diagnosis['versions'] {
  return {
    kubernetesLocal: packageFile.version,
    node: process.version,
    platform: `${process.platform} ${release()} ${arch()}`,
    sessionProtocol,
    agentProtocol: protocolVersion,
    ...(cluster !== undefined && { cluster }),
  };
}
