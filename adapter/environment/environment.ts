/**
 * Owns the environment of the program: what the pod's container would see, worked out from the API as kubelet works
 * it out (kubelet: makeEnvironmentVariables, Kubernetes 1.35), never by running anything in the pod. What the image
 * itself sets (ENV) is not in the API and not in the result.
 */
import { Problem } from '../problem.ts';
import { expand } from './expansion.ts';
import { fieldValue } from './fields.ts';
import {
  type Container,
  type DeclaredVariable,
  findContainer,
  type Pod,
  parsePod,
  type ResourceReference,
} from './pod.ts';
import { resourceValue } from './resources.ts';
import { linkedServices, type ServiceAddress, serviceVariables } from './services.ts';
import { type EnvironmentReader, readSources, type Sources } from './sources.ts';

export type { ServiceAddress } from './services.ts';
export type { EnvironmentReader } from './sources.ts';

/** One variable of the container. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  /** Where the value comes from, in the user's words: `ConfigMap shop-settings, key GREETING`. */
  readonly origin: string;
  /** Whether the value comes, even in part, from a Secret. */
  readonly secret: boolean;
}

/** What was resolved. */
export interface ResolvedEnvironment {
  readonly variables: readonly EnvironmentVariable[];
  /** Sentences for the user about variables that the pod has and the result lacks, and why. They hold no values. */
  readonly notes: readonly string[];
}

/** What the environment is worked out from. */
export interface EnvironmentInput {
  /** The V1Pod as the API gives it, as JSON. */
  readonly pod: unknown;
  readonly container: string;
  /** The pod's namespace, in which its ConfigMaps and Secrets are. */
  readonly namespace: string;
  /**
   * At least the Services of the namespace and `default/kubernetes`. A caller that serves them on this computer gives
   * their local addresses for the cluster's: the variables, and what refers to them, then hold addresses that work here.
   */
  readonly services: readonly ServiceAddress[];
  readonly reader: EnvironmentReader;
  /** What to do about what is missing or may not be read. `leave-out`: a note each, and the rest goes on. Default: fail. */
  readonly onUnresolved?: 'fail' | 'leave-out';
}

/**
 * The container's variables. Precedence is kubelet's: Services, over them `envFrom` in its order, over that `env`.
 * Services are as they are now; kubelet wrote down those that were there when the container started.
 * @throws Problem environment-unresolved, naming variable, object and key, when something that is not optional is missing.
 */
export async function resolveEnvironment(input: EnvironmentInput, signal: AbortSignal): Promise<ResolvedEnvironment> {
  const pod = parsePod(input.pod);
  const container = findContainer(pod, input.container);
  if (container === undefined) {
    throw new Problem({
      code: 'container-unknown',
      what: `The pod ${pod.metadata.name} has no container "${input.container}".`,
      why: `It has: ${pod.spec.containers.map(({ name }) => name).join(', ')}.`,
      remedy: 'Name one of them as the container.',
    });
  }
  const notes: string[] = [];
  const missing: string[] = [];
  const lenient = input.onUnresolved === 'leave-out';
  const forbidden = new Set<string>();
  const reader = lenient ? forgiving(input.reader, forbidden, (text) => notes.push(text)) : input.reader;
  const sources = await readSources(pod, container, input.namespace, reader, signal);
  signal.throwIfAborted();
  const scope: Scope = {
    pod,
    container,
    sources,
    forbidden,
    declared: new Map(),
    linked: new Map(),
    note: (text) => notes.push(text),
    miss: (text) => missing.push(text),
  };
  addServices(scope, linkedServices(input.services, input.namespace, pod.spec.enableServiceLinks));
  for (const source of container.envFrom) addAll(scope, source);
  for (const variable of container.env) addOne(scope, variable);
  if (missing.length > 0 && !lenient) throw unresolved(missing, pod, container);
  notes.push(...missing.map((text) => `${text} It is left out.`));

  return { variables: [...new Map([...scope.linked, ...scope.declared]).values()], notes };
}

/** What is known while the variables are worked out one after the other. */
interface Scope {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: Sources;
  /** Objects that may not be read, such as `Secret keys`. */
  readonly forbidden: ReadonlySet<string>;
  /** From envFrom and env; these win over `linked`, also inside references. */
  readonly declared: Map<string, EnvironmentVariable>;
  readonly linked: Map<string, EnvironmentVariable>;
  note(text: string): void;
  miss(text: string): void;
}

/** Takes what may not be read for what is not there, and says so. */
function forgiving(reader: EnvironmentReader, forbidden: Set<string>, note: (text: string) => void): EnvironmentReader {
  const orNothing = async <T>(object: string, reading: Promise<T>): Promise<T | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'right-missing') throw error;
      forbidden.add(object);
      note([error.what, error.why].filter(Boolean).join(' '));
      return undefined;
    }
  };
  return {
    configMap: (...args) => orNothing(`ConfigMap ${args[1]}`, reader.configMap(...args)),
    secret: (...args) => orNothing(`Secret ${args[1]}`, reader.secret(...args)),
    ...(reader.nodeAllocatable && { nodeAllocatable: reader.nodeAllocatable.bind(reader) }),
  };
}

function addServices({ linked }: Scope, services: readonly ServiceAddress[]): void {
  for (const service of services) {
    for (const [name, value] of serviceVariables(service)) {
      linked.set(name, { name, value, origin: `Service ${service.name}`, secret: false });
    }
  }
}

function addAll(scope: Scope, { prefix, configMapRef, secretRef }: Container['envFrom'][number]): void {
  const reference = configMapRef ?? secretRef;
  if (!reference) return;
  const object = `${configMapRef ? 'ConfigMap' : 'Secret'} ${reference.name}`;
  const data = configMapRef ? scope.sources.configMaps.get(reference.name) : scope.sources.secrets.get(reference.name);
  if (data === undefined) {
    const fault = scope.forbidden.has(object) ? 'which you may not read' : 'which does not exist';
    if (!reference.optional) scope.miss(`Variables are taken from ${object}, ${fault}.`);
    return;
  }
  for (const [key, value] of Object.entries(data)) {
    add(scope, `${prefix}${key}`, value, `${object}, key ${key}`);
  }
}

function addOne(scope: Scope, variable: DeclaredVariable): void {
  const { name, value, valueFrom } = variable;
  if (value !== '' || !valueFrom) addWritten(scope, name, value);
  else if (valueFrom.fieldRef) addField(scope, name, valueFrom.fieldRef.fieldPath);
  else if (valueFrom.resourceFieldRef) addResource(scope, name, valueFrom.resourceFieldRef);
  else if (valueFrom.configMapKeyRef) {
    addKey(scope, name, 'ConfigMap', valueFrom.configMapKeyRef, scope.sources.configMaps);
  } else if (valueFrom.secretKeyRef) addKey(scope, name, 'Secret', valueFrom.secretKeyRef, scope.sources.secrets);
  else if (valueFrom.fileKeyRef) addFileKey(scope, name, valueFrom.fileKeyRef);
  else scope.miss(`${name} comes from a kind of source that kubernetes-local does not know.`);
}

/** A file that the pod's own init containers wrote into an emptyDir (alpha in Kubernetes 1.34): no API shows it. */
function addFileKey(
  scope: Scope,
  name: string,
  { volumeName, path, key, optional }: { volumeName: string; path: string; key: string; optional: boolean },
): void {
  const file = `key ${key} of the file ${path} in the volume ${volumeName}`;
  if (optional) scope.note(`${name} is left out: ${file} can only be read inside the pod.`);
  else scope.miss(`${name} comes from ${file} (fileKeyRef), which can only be read inside the pod.`);
}

/** A value that stands in the pod's description, with its references to other variables. */
function addWritten(scope: Scope, name: string, written: string): void {
  let secret = false;
  const value = expand(written, (referred) => {
    const other = scope.declared.get(referred) ?? scope.linked.get(referred);
    secret ||= other?.secret ?? false;
    return other?.value;
  });
  scope.declared.set(name, { name, value, origin: `container ${scope.container.name}`, secret });
}

function addField(scope: Scope, name: string, path: string): void {
  const value = fieldValue(scope.pod, path);
  if (value === undefined)
    scope.miss(`${name} comes from the pod's field ${path}, which kubernetes-local does not know.`);
  else add(scope, name, value, `pod field ${path}`);
}

function addResource(scope: Scope, name: string, reference: ResourceReference): void {
  const result = resourceValue(scope.pod, scope.container, reference, scope.sources.allocatable);
  const of = reference.containerName || scope.container.name;
  if (result === 'needs-node') {
    scope.note(
      `${name} is left out: container ${of} sets no ${reference.resource}, and what the node ${scope.pod.spec.nodeName} offers instead cannot be read.`,
    );
  } else if (result === 'unknown') {
    scope.miss(`${name} comes from ${reference.resource} of container ${of}, which kubernetes-local does not know.`);
  } else {
    add(scope, name, result.value, `${reference.resource} of container ${of}`);
  }
}

function addKey(
  scope: Scope,
  name: string,
  kind: 'ConfigMap' | 'Secret',
  reference: { readonly name: string; readonly key: string; readonly optional: boolean },
  objects: ReadonlyMap<string, Readonly<Record<string, string | Uint8Array>> | undefined>,
): void {
  const object = `${kind} ${reference.name}`;
  const data = objects.get(reference.name);
  const value = data && Object.hasOwn(data, reference.key) ? data[reference.key] : undefined;
  if (value !== undefined) {
    add(scope, name, value, `${object}, key ${reference.key}`);
  } else if (!reference.optional) {
    const absent = scope.forbidden.has(object) ? 'which you may not read' : 'but that does not exist';
    const fault = data === undefined ? absent : 'which has no such key';
    scope.miss(`${name} comes from key ${reference.key} of ${object}, ${fault}.`);
  }
}

/** Adds a value that is taken as it is. Bytes come from a Secret. What no process can be given is left out with a note. */
function add(scope: Scope, name: string, raw: string | Uint8Array, origin: string): void {
  const secret = typeof raw !== 'string';
  const value = secret ? decode(raw) : raw;
  if (!isName(name)) {
    scope.note(`"${name}" is left out (${origin}): that is no name for a variable.`);
  } else if (value === undefined || value.includes('\0')) {
    scope.declared.delete(name);
    scope.note(`${name} is left out (${origin}): its value is binary, and a variable can only hold text.`);
  } else {
    scope.declared.set(name, { name, value, origin, secret });
  }
}

/** Since Kubernetes 1.34 (and by default since 1.32): printable ASCII other than `=`. */
function isName(name: string): boolean {
  return /^[ -<>-~]+$/.test(name);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function unresolved(missing: readonly string[], pod: Pod, container: Container): Problem {
  const [first = '', ...others] = missing;
  return new Problem({
    code: 'environment-unresolved',
    what: `The environment of container ${container.name} of pod ${pod.metadata.name} cannot be worked out. ${first}`,
    why: others.join(' '),
    remedy:
      'Create what is missing, or mark it as optional in the workload; the cluster could not start this container again either.',
  });
}
