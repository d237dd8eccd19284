/** What turns a pod template into the agent's, and back. Pure functions; addressed by names, never by positions. */
import { isDeepStrictEqual } from 'node:util';
import { type AgentConfiguration, agentConfigurationVariable } from '../../agent/protocol.ts';
import { agentSecurity } from './agent-security.ts';
import { sessionAnnotation } from './annotations.ts';
import { type KeptParts, keepNothing, keptParts } from './kept-parts.ts';
import type { Container, PodTemplate } from './objects.ts';
import { parseQuantity } from './quantity.ts';
import type { Change, Json } from './record.ts';

export interface AgentImage {
  readonly name: string;
  readonly pullPolicy?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** The agent is a Node program with HTTP/2 windows; below this the kernel kills it. */
const leastMemory = '128Mi';
const grantedMemory = '192Mi';
const leastCpu = '250m';
const unprivilegedPorts = 'net.ipv4.ip_unprivileged_port_start';

/** The changes that make the agent run in place of the container, and what the user should know about them. */
export function planChanges(
  template: PodTemplate,
  container: Container,
  agent: AgentConfiguration,
  image: AgentImage,
  keep: KeptParts = keepNothing,
): { readonly changes: readonly Change[]; readonly notes: readonly string[] } {
  const { resources, notes } = agentResources(container);
  const kept = keptParts(container, keep);
  const security = agentSecurity(template, container);
  const wanted: Readonly<Record<string, Json>> = {
    image: image.name,
    imagePullPolicy: image.pullPolicy ?? 'IfNotPresent',
    command: null,
    args: null,
    workingDir: null,
    // Every default is spelled out: an undo recognises our own value by comparing it whole.
    readinessProbe: probe('/ready', agent.healthPort, { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 2 }),
    livenessProbe: isPresent(container.livenessProbe)
      ? (kept.livenessProbe ??
        probe('/live', agent.healthPort, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }))
      : null,
    startupProbe: null,
    lifecycle: kept.lifecycle ?? null,
    resources,
    securityContext: security.securityContext,
  };
  const fields = Object.entries(wanted).map(
    ([field, after]): Change => ({ at: 'container', field, before: toJson(container[field]), after }),
  );
  const variable: Change = {
    at: 'variable',
    name: agentConfigurationVariable,
    before: null,
    after: { name: agentConfigurationVariable, value: JSON.stringify(agent) },
  };
  const annotation: Change = { at: 'annotation', name: sessionAnnotation, before: null, after: agent.session };
  const changes = [...fields, variable, annotation, ...lowPorts(template, agent.ports)];
  return {
    changes: changes.filter(({ before, after }) => !isDeepStrictEqual(before, after)),
    notes: [...notes, ...kept.notes, ...security.notes, ...nodePortNotes(template, agent.ports)],
  };
}

/** The value that a change is about, as it is in this template now; null if absent. */
export function currentValue(template: PodTemplate, container: string, change: Change): Json {
  const holder = template.spec.containers.find(({ name }) => name === container);
  if (change.at === 'container') return toJson(holder?.[change.field]);
  if (change.at === 'annotation') return template.metadata?.annotations?.[change.name] ?? null;
  const list = change.at === 'variable' ? holder?.env : securityContext(template).sysctls;
  return toJson(named(list).find(({ name }) => name === change.name));
}

/** The template with the changes made (`after`) or taken back (`before`). */
export function withChanges(
  template: PodTemplate,
  container: string,
  changes: readonly Change[],
  side: 'before' | 'after',
): PodTemplate {
  let result = template;
  for (const change of changes) result = withChange(result, container, change, change[side]);
  return result;
}

/**
 * The strategic-merge patch of a pod template that makes the changes or takes them back.
 * `template` is the template as it is now: lists that Kubernetes replaces whole (sysctls) are built from it.
 * Source: kubernetes/community sig-api-machinery/strategic-merge-patch.md.
 */
export function templatePatch(
  template: PodTemplate,
  container: string,
  changes: readonly Change[],
  side: 'before' | 'after',
): Fields {
  const fields: Record<string, unknown> = {};
  const env: unknown[] = [];
  const annotations: Record<string, unknown> = {};
  for (const change of changes) {
    const value = change[side];
    if (change.at === 'container') {
      const isThere = currentValue(template, container, change) !== null;
      fields[change.field] = isThere ? replaced(value) : value;
    }
    if (change.at === 'variable') env.push(value ?? { name: change.name, $patch: 'delete' });
    if (change.at === 'annotation') annotations[change.name] = value;
  }
  if (env.length > 0) fields.env = env;
  const patch: Record<string, unknown> = {};
  if (Object.keys(annotations).length > 0) patch.metadata = { annotations };
  const spec: Record<string, unknown> = {};
  if (Object.keys(fields).length > 0) spec.containers = [{ name: container, ...fields }];
  if (changes.some(({ at }) => at === 'sysctl')) {
    const { sysctls } = securityContext(withChanges(template, container, changes, side));
    spec.securityContext = { sysctls: sysctls ?? null };
  }
  if (Object.keys(spec).length > 0) patch.spec = spec;
  return patch;
}

/** Sorts changes by what an undo has to do: ours still stand (`revert`), or somebody else changed it (`conflicts`). */
export function planUndo(
  template: PodTemplate,
  container: string,
  changes: readonly Change[],
): { readonly revert: readonly Change[]; readonly conflicts: readonly string[] } {
  const revert: Change[] = [];
  const conflicts: string[] = [];
  const isThere = template.spec.containers.some(({ name }) => name === container);
  if (!isThere) conflicts.push(`container ${container} is gone`);
  for (const change of changes) {
    if (!isThere && (change.at === 'container' || change.at === 'variable')) continue;
    const now = currentValue(template, container, change);
    if (isDeepStrictEqual(now, change.before)) continue;
    if (isDeepStrictEqual(now, change.after)) {
      revert.push(change);
      continue;
    }
    const mixed = change.at === 'container' ? withoutOurs(change.before, change.after, now) : now;
    if (!isDeepStrictEqual(mixed, now)) revert.push({ ...change, before: mixed, after: now });
    if (!isDeepStrictEqual(mixed, change.before)) {
      conflicts.push(`${describeChange(container, change)} is now ${JSON.stringify(mixed)}`);
    }
  }
  return { revert, conflicts };
}

/** How a probe looks; a probe has one of them. Source: Kubernetes API, core/v1 ProbeHandler. */
const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/**
 * A value that somebody else has changed in part, with the former value wherever it is still ours: who applies the original
 * manifest again sets only what stands in it, and the API server merges that into ours.
 */
function withoutOurs(before: Json, after: Json, now: Json): Json {
  if (!isObject(before) || !isObject(after) || !isObject(now)) return now;
  const [old, ours, theirs] = [asFields(before), asFields(after), asFields(now)];
  const part = (key: string): Json => {
    const [was, made, is] = [old[key] ?? null, ours[key] ?? null, theirs[key] ?? null];
    return isDeepStrictEqual(is, made) ? was : withoutOurs(was, made, is);
  };
  const result: Record<string, Json> = {};
  for (const key of keysOf(old, theirs)) result[key] = part(key);
  // Parts of two ways to probe make no probe.
  const handlerOf = (fields: Fields) => probeHandlers.filter((each) => each in fields);
  if (!isDeepStrictEqual(handlerOf(old), handlerOf(ours))) {
    const isOurs = probeHandlers.every((each) => isDeepStrictEqual(theirs[each], ours[each]));
    for (const each of probeHandlers) result[each] = (isOurs ? old : theirs)[each] ?? null;
  }
  return Object.fromEntries(Object.entries(result).filter(([, value]) => value !== null));
}

/** Where a change is, as a user would look for it. */
export function describeChange(container: string, change: Change): string {
  if (change.at === 'container') return `${change.field} of container ${container}`;
  if (change.at === 'variable') return `environment variable ${change.name} of container ${container}`;
  if (change.at === 'sysctl') return `sysctl ${change.name}`;
  return `annotation ${change.name} of the pod template`;
}

/** The paths at which two JSON values differ; list elements that have names are compared by name. */
export function differences(a: unknown, b: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [byName(a), byName(b)];
    if (left && right)
      return keysOf(left, right).flatMap((key) => differences(left[key], right[key], `${path}[${key}]`));
    return [path];
  }
  if (isObject(a) && isObject(b)) {
    return keysOf(a, b).flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return [path];
}

function withChange(template: PodTemplate, container: string, change: Change, value: Json): PodTemplate {
  if (change.at === 'annotation') {
    const annotations = set(template.metadata?.annotations ?? {}, change.name, value);
    return { ...template, metadata: { ...template.metadata, annotations: annotations as Record<string, string> } };
  }
  if (change.at === 'sysctl') {
    const context = securityContext(template);
    const sysctls = setNamed(context.sysctls, change.name, value);
    return { ...template, spec: { ...template.spec, securityContext: set(context, 'sysctls', sysctls) } };
  }
  const containers = template.spec.containers.map((each) => {
    if (each.name !== container) return each;
    const changed =
      change.at === 'variable'
        ? set(each, 'env', setNamed(each.env, change.name, value))
        : set(each, change.field, value);
    return changed as Container;
  });
  return { ...template, spec: { ...template.spec, containers } };
}

function set(object: Fields, key: string, value: unknown): Fields {
  const { [key]: _, ...rest } = object;
  return isPresent(value) ? { ...rest, [key]: value } : rest;
}

/** The list with its element of this name set or removed; undefined instead of an empty list, as Kubernetes writes it. */
function setNamed(list: unknown, name: string, value: Json): unknown[] | undefined {
  const present = named(list);
  const index = present.findIndex((element) => element.name === name);
  const result: unknown[] = [...present];
  if (index >= 0) result.splice(index, 1, ...(value === null ? [] : [value]));
  else if (value !== null) result.push(value);
  return result.length > 0 ? result : undefined;
}

function named(list: unknown): readonly (Fields & { readonly name: string })[] {
  return Array.isArray(list) ? list.filter((element) => isObject(element) && typeof element.name === 'string') : [];
}

function securityContext(template: PodTemplate): Fields {
  const context = template.spec.securityContext;
  return isObject(context) ? context : {};
}

/**
 * An object takes the place of the whole old one, instead of being merged into it.
 * Only where there is an old one: the API server (1.35) drops `$patch: replace` and its object where there is none.
 */
function replaced(value: Json): unknown {
  return isObject(value) ? { ...asFields(value), $patch: 'replace' } : value;
}

function probe(path: string, port: number, times: Readonly<Record<string, number>>): Json {
  return { httpGet: { path, port, scheme: 'HTTP' }, successThreshold: 1, ...times };
}

/** In the network of the node that sysctl is the node's own, and the agent has no privilege to do without it. */
function nodePortNotes(template: PodTemplate, ports: readonly number[]): readonly string[] {
  const low = ports.filter((port) => port < 1024);
  if (template.spec.hostNetwork !== true || low.length === 0) return [];
  const named = `port${low.length > 1 ? 's' : ''} ${low.join(', ')}`;
  return [`The pod uses the network of its node, where the agent may not be allowed to listen at ${named}.`];
}

function lowPorts(template: PodTemplate, ports: readonly number[]): readonly Change[] {
  const inHostNetwork = template.spec.hostNetwork === true;
  if (inHostNetwork || !ports.some((port) => port < 1024)) return [];
  const present = named(securityContext(template).sysctls).find(({ name }) => name === unprivilegedPorts);
  if (present) return [];
  return [{ at: 'sysctl', name: unprivilegedPorts, before: null, after: { name: unprivilegedPorts, value: '0' } }];
}

/** The container's resources, raised where the agent could not live; requests stay as they are. */
function agentResources(container: Container): { resources: Json; notes: readonly string[] } {
  const notes: string[] = [];
  const before = toJson(container.resources);
  if (!isObject(before)) return { resources: before, notes };
  const limits: Record<string, Json> = { ...asFields(before.limits) };
  const requests: Record<string, Json> = { ...asFields(before.requests) };
  const raise = (resource: string, least: string, granted: string) => {
    const limit = limits[resource];
    const present = typeof limit === 'string' || typeof limit === 'number' ? parseQuantity(String(limit)) : undefined;
    if (limit === undefined || present === undefined || present >= (parseQuantity(least) ?? 0)) return;
    // Without a request Kubernetes takes the limit for it, and would now reserve more than before.
    requests[resource] ??= limit;
    limits[resource] = granted;
    notes.push(
      `The ${resource} limit of container ${container.name} is ${granted} instead of ${limit} while the agent runs.`,
    );
  };
  raise('memory', leastMemory, grantedMemory);
  raise('cpu', leastCpu, leastCpu);
  return { resources: notes.length > 0 ? { ...asFields(before), limits, requests } : before, notes };
}

function asFields(value: Json | undefined): Readonly<Record<string, Json>> {
  return isObject(value) ? { ...(value as object) } : {};
}

function toJson(value: unknown): Json {
  return isPresent(value) ? (value as Json) : null;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject<T>(value: T): value is T & Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(a: Fields, b: Fields): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function byName(list: readonly unknown[]): Record<string, unknown> | undefined {
  const elements = named(list);
  if (elements.length !== list.length) return undefined;
  const result = Object.fromEntries(elements.map((element) => [element.name, element]));
  return Object.keys(result).length === list.length ? result : undefined;
}
