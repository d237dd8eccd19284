/** Tests only: a cluster with a few Services behind a kubeconfig, and a user whose answers are known beforehand. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../cluster/fake-api-server.ts';
import { Problem } from '../problem.ts';
import type { ChoiceQuestion, Prompter, TextQuestion } from './prompter.ts';

/** Paths that may not be read. */
export type Forbidden = readonly string[];

const forbidden: FakeAnswer = (response) => {
  const message = 'is forbidden: User "anna" cannot list resource "these"';
  response
    .writeHead(403, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message }));
};

let serial = 0;

function metadata(name: string, namespace: string, more: object = {}) {
  return { name, namespace, uid: `uid-${name}`, resourceVersion: String(++serial), ...more };
}

export interface AppOptions {
  readonly service?: string | null;
  readonly port?: number;
  readonly containers?: readonly { name: string; ports?: readonly { name?: string; containerPort: number }[] }[];
  readonly kind?: 'Deployment' | 'StatefulSet';
  readonly annotations?: Record<string, string>;
  readonly running?: boolean;
  readonly servicePorts?: readonly object[];
}

/** The objects of one app: workload, pod, ReplicaSet and Service. */
export function app(name: string, options: AppOptions = {}, namespace = 'shop'): readonly [kind: string, object][] {
  const { service = name, port = 8080, kind = 'Deployment', running = true, annotations = {} } = options;
  const containers = options.containers ?? [{ name, ports: [{ name: 'http', containerPort: port }] }];
  const labels = { app: name, ...(kind === 'Deployment' && { 'pod-template-hash': 'abc12' }) };
  const owner = (of: string, named: string) => [{ kind: of, name: named, uid: `uid-${named}`, controller: true }];
  const pod = {
    metadata: metadata(`${name}-abc12-x`, namespace, {
      labels,
      ownerReferences: kind === 'Deployment' ? owner('ReplicaSet', `${name}-abc12`) : owner(kind, name),
    }),
    spec: { containers },
    status: running
      ? {
          phase: 'Running',
          containerStatuses: containers.map((each) => ({ ...each, ready: true, state: { running: {} } })),
        }
      : { phase: 'Pending' },
  };
  const workload = {
    metadata: metadata(name, namespace, { annotations }),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
    },
    status: {},
  };
  return [
    [`${kind.toLowerCase()}s`, workload],
    ['pods', pod],
    ...(kind === 'Deployment'
      ? [
          [
            'replicasets',
            { metadata: metadata(`${name}-abc12`, namespace, { ownerReferences: owner(kind, name) }) },
          ] as const,
        ]
      : []),
    ...(service === null ? [] : [serviceOf(service, { app: name }, options.servicePorts, namespace)]),
  ] as [string, object][];
}

export function serviceOf(
  name: string,
  selector: object,
  ports: readonly object[] = [{ port: 80, targetPort: 'http' }],
  namespace = 'shop',
): readonly [kind: string, object] {
  return ['services', { metadata: metadata(name, namespace), spec: { clusterIP: '10.0.0.9', selector, ports } }];
}

export const namespacesOf = (...names: readonly string[]): readonly [string, object][] =>
  names.map((name) => ['namespaces', { metadata: metadata(name, '') }]);

type Object = {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Record<string, string> };
};

export async function serve(
  objects: readonly (readonly [kind: string, object])[],
  unreadable: Forbidden = [],
): Promise<FakeApiServer> {
  return await FakeApiServer.start((request: FakeRequest): FakeAnswer => {
    if (unreadable.includes(request.path)) return forbidden;
    if (request.path === '/version') return { gitVersion: 'v1.35.4' };
    if (request.method !== 'GET') return 404;
    const [, place, inner, named] =
      /^\/apis?\/(?:[^/]+\/)?v1\/namespaces(?:\/([^/]+))?(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(request.path) ?? [];
    const kind = inner ?? 'namespaces';
    const name = inner === undefined ? place : named;
    const metadatas = objects.map(([each, object]) => ({ each, ...(object as Object).metadata }));
    const places = new Set(metadatas.map(({ each, name, namespace }) => (each === 'namespaces' ? name : namespace)));
    const all = [...objects.filter(([each]) => each !== 'namespaces'), ...namespacesOf(...places)]
      .filter(([each]) => each === kind)
      .map(([, object]) => object as Object)
      .filter((object) => inner === undefined || object.metadata.namespace === place);
    if (name !== undefined) return all.find((object) => object.metadata.name === name) ?? 404;
    const wanted = (request.query.get('labelSelector') ?? '')
      .split(',')
      .filter(Boolean)
      .map((part) => part.split('='));
    const items = all.filter(({ metadata: { labels = {} } }) =>
      wanted.every(([key = '', value]) => labels[key] === value),
    );
    return { items, metadata: { resourceVersion: '1' } };
  });
}

/** Writes a kubeconfig with these contexts, each for a server and namespace; the first is the current one. */
export function writeKubeconfig(
  folder: string,
  contexts: Readonly<Record<string, { readonly server: string; readonly namespace?: string }>>,
): string {
  const path = join(folder, 'kubeconfig.yaml');
  const names = Object.keys(contexts);
  const entries = Object.entries(contexts);
  writeFileSync(
    path,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: entries.map(([name, { server }]) => ({ name, cluster: { server } })),
      users: names.map((name) => ({ name, user: {} })),
      contexts: entries.map(([name, { namespace }]) => ({
        name,
        context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) },
      })),
      'current-context': names[0],
    }),
  );
  return path;
}

/** Answers by label or text, in this order; undefined takes what Enter would take. An answer too many or too few is an error. */
export class ScriptedPrompter implements Prompter {
  /** What was asked, and the labels that were offered. */
  readonly asked: {
    readonly title: string;
    readonly offered: readonly string[];
    readonly initial: string | undefined;
  }[] = [];
  readonly waited: string[] = [];
  readonly #answers: (string | undefined)[];

  constructor(...answers: readonly (string | undefined)[]) {
    this.#answers = [...answers];
  }

  async choose<T>({ title, choices, initial }: ChoiceQuestion<T>): Promise<T> {
    const offered = choices.map(({ label, description }) =>
      description === undefined ? label : `${label} (${description})`,
    );
    const preselected = initial === undefined ? choices[0] : choices.find(({ value }) => value === initial);
    this.asked.push({ title, offered, initial: preselected?.label });
    const answer = this.#next(title);
    const chosen = answer === undefined ? preselected : choices.find(({ label }) => label === answer);
    if (chosen === undefined) throw new Error(`"${answer}" is not offered: ${offered.join(', ')}`);
    return chosen.value;
  }

  async enter({ title, initial, check }: TextQuestion): Promise<string> {
    this.asked.push({ title, offered: [], initial });
    for (;;) {
      const answer = this.#next(title) ?? initial;
      const refused = check(answer);
      if (refused === undefined) return answer;
      this.asked.push({ title: refused, offered: [], initial: answer });
    }
  }

  async wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    this.waited.push(what);
    return await work(signal);
  }

  get unused(): number {
    return this.#answers.length;
  }

  #next(title: string): string | undefined {
    if (this.#answers.length === 0) throw new Error(`no answer is left for: ${title}`);
    const [answer] = this.#answers.splice(0, 1);
    if (answer === '(Escape)') {
      throw new Problem({ code: 'cancelled', what: 'Cancelled.', why: '', remedy: '' });
    }
    return answer;
  }
}
