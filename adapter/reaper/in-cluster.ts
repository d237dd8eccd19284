/** The API server as a pod sees it: address from the environment, token and certificate from the ServiceAccount's files. */
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { Api, type Credentials } from '../cluster/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Log } from '../diagnostics/log.ts';

/** Where the kubelet puts token and certificate. Source: kubernetes.io/docs/tasks/run-application/access-api-from-pod. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The API server of the cluster in which this process runs. An Error says what a pod would have and this process has not. */
export function inClusterApi(environment: NodeJS.ProcessEnv, log: Log, folder = accountFolder): Api {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: the reaper runs in a pod only.');
  return new Api(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`, new AccountFiles(folder, log), log);
}

/** One namespace of the cluster in which this process runs. */
export function inNamespace(api: Api, namespace: string, log: Log): Cluster {
  const { server } = api;
  return { context: 'in-cluster', server, namespace, user: 'the reaper', version: 'unknown', log, api };
}

/** Both files are read for every request: the kubelet writes new ones before the old ones expire, and requests are few. */
class AccountFiles implements Credentials {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  async apply(options: RequestOptions): Promise<number> {
    const [token, certificate] = await Promise.all([this.#read('token'), this.#read('ca.crt')]);
    this.#log.redactor.add(token);
    options.ca = certificate;
    options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    return 0;
  }

  refresh(): boolean {
    return false;
  }

  async #read(file: string): Promise<string> {
    return (await readFile(join(this.#folder, file), 'utf8')).trim();
  }
}
