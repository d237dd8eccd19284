/** The administrator's look at the API server: over one kept connection, for what kubectl would need a process each. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { TestCluster } from '../cluster/cluster.ts';

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ 'certificate-authority-data': z.base64() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.base64(), 'client-key-data': z.base64() }) }),
  ]),
});

/** Any object of the API; what is looked at is checked where it is looked at. */
const objectSchema = z.looseObject({
  kind: z.string().optional(),
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
export type ApiObject = z.infer<typeof objectSchema>;

const listSchema = z.object({
  kind: z.string(),
  metadata: z.object({ resourceVersion: z.string() }),
  items: z.array(objectSchema).nullish(),
});
const eventSchema = z.object({ type: z.string(), object: z.unknown() });

/** An answer that takes longer than this comes no more: the road may be cut. */
const patienceMilliseconds = 10_000;
const pauseMilliseconds = 200;

export class Api {
  readonly #server: string;
  readonly #agent: Agent;

  private constructor(server: string, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
  }

  static async open({ kubeconfig, server }: TestCluster): Promise<Api> {
    const { clusters, users } = kubeconfigSchema.parse(parse(await readFile(kubeconfig, 'utf8')));
    const { user } = users[0];
    return new Api(
      server,
      new Agent({
        keepAlive: true,
        ca: Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64'),
        cert: Buffer.from(user['client-certificate-data'], 'base64'),
        key: Buffer.from(user['client-key-data'], 'base64'),
      }),
    );
  }

  /** The objects of a list, by its path. Rejects if the API server cannot be reached, or says no. */
  async list(path: string): Promise<readonly ApiObject[]> {
    return (await this.#list(path)).items;
  }

  /** Resolves as soon as the objects of a list are as wanted, however often the watch has to begin again. */
  async until(path: string, isMeant: (objects: readonly ApiObject[]) => boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        if (await this.#seen(path, isMeant, signal)) return;
      } catch {
        signal.throwIfAborted();
      }
      await delay(pauseMilliseconds, undefined, { signal });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #seen(
    path: string,
    isMeant: (objects: readonly ApiObject[]) => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { items, resourceVersion } = await this.#list(path);
    const known = new Map(items.map((item) => [item.metadata.name, item]));
    if (isMeant([...known.values()])) return true;
    const stream = await this.#get(`${path}?watch=1&timeoutSeconds=60&resourceVersion=${resourceVersion}`, signal, 0);
    for await (const line of createInterface({ input: stream })) {
      const { type, object } = eventSchema.parse(JSON.parse(line));
      const changed = objectSchema.safeParse(object);
      if (type === 'ERROR' || !changed.success) return false;
      if (type === 'DELETED') known.delete(changed.data.metadata.name);
      else known.set(changed.data.metadata.name, changed.data);
      if (isMeant([...known.values()])) {
        stream.destroy();
        return true;
      }
    }
    return false;
  }

  async #list(path: string): Promise<{ items: readonly ApiObject[]; resourceVersion: string }> {
    const answer = await this.#get(path, undefined, patienceMilliseconds);
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part);
    const { kind, metadata, items } = listSchema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
    const kindOfItem = kind.replace(/List$/, '');
    return {
      items: (items ?? []).map((item) => ({ ...item, kind: kindOfItem })),
      resourceVersion: metadata.resourceVersion,
    };
  }

  #get(path: string, signal: AbortSignal | undefined, patience: number): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(`${this.#server}${path}`, { agent: this.#agent, ...(signal && { signal }) }, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else {
        answer.resume();
        reject(new Error(`GET ${path}: ${answer.statusCode}`));
      }
    });
    if (patience > 0) sent.setTimeout(patience, () => sent.destroy(new Error(`GET ${path}: no answer`)));
    sent.on('error', reject).end();
    return promise;
  }
}
