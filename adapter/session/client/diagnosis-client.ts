/** Asks the daemon of a session for its diagnosis and its logs. */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { type Diagnosis, diagnosisSchema } from '../../diagnostics/diagnosis.ts';
import { Problem } from '../../problem.ts';
import { within } from '../../within.ts';
import { diagnosisRequest, type LogText, logsRequest, logTextSchema } from '../diagnosis.ts';
import { fromResponseError } from '../protocol.ts';
import { sessionFiles } from '../state-folder.ts';
import { daemonGone, dialDaemon, hangUp, whenGone } from './reach-daemon.ts';

/** Longer than a daemon waits for the cluster; one that takes longer is itself what is wrong. */
const patienceMilliseconds = 15_000;

/** The diagnosis of the session with this key; undefined if no daemon runs. Problem daemon-failed if it does not answer. */
export function sessionDiagnosis(key: string): Promise<Diagnosis | undefined> {
  return ask(key, async (rpc) => diagnosisSchema.parse(await rpc.sendRequest(diagnosisRequest)));
}

/** The log files of the session with this key, redacted by its daemon; undefined if none runs. Problem daemon-failed. */
export function sessionLogs(key: string): Promise<readonly LogText[] | undefined> {
  return ask(key, async (rpc) => z.array(logTextSchema).parse(await rpc.sendRequest(logsRequest)));
}

async function ask<T>(key: string, question: (rpc: MessageConnection) => Promise<T>): Promise<T | undefined> {
  const files = sessionFiles(key);
  const rpc = await dialDaemon(files).catch((error: unknown) => {
    // One of another version has said why it does not talk to us.
    if (error instanceof Problem && error.code === 'daemon-failed') throw error;
    return undefined;
  });
  if (!rpc) return undefined;
  try {
    const gone = whenGone(rpc).then(() => {
      throw daemonGone(files);
    });
    gone.catch(() => {});
    const answer = await within(patienceMilliseconds, Promise.race([question(rpc), gone]), undefined);
    if (answer === undefined) throw daemonGone(files);
    return answer;
  } catch (error) {
    throw fromResponseError(error);
  } finally {
    hangUp(rpc);
  }
}
