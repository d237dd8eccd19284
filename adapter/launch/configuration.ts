/**
 * Owns the launch configuration: its schema (launch.schema.json, the single source for IDE, types and validation)
 * and the one clear Problem for whatever is wrong with one. It knows nothing of cluster or debuggers.
 */
import type { ErrorObject } from 'ajv';
import { Problem, type ProblemCode } from '../problem.ts';
import { checkDebugAdapter, withNumericPort } from './debug-adapter.ts';
import schema from './launch.schema.json' with { type: 'json' };
import { withoutRequestName } from './request-name.ts';
import { withObjects } from './texts.ts';
import { type LaunchConfiguration, validate } from './validator.ts';
import { adviceFor, adviceInside, nearest } from './words.ts';

export type { LaunchConfiguration } from './validator.ts';

/** The real debugger's own configuration. Problem missing-key if there is none, which only a debug session has to have. */
export function delegateOf({ delegate }: LaunchConfiguration): NonNullable<LaunchConfiguration['delegate']> {
  if (delegate !== undefined) return delegate;
  throw new Problem({
    code: 'missing-key',
    what: 'The launch configuration has no "delegate".',
    why: 'It says which real debugger runs the program.',
    remedy: 'Add for example "delegate": { "type": "debugpy", "program": "main.py" }.',
  });
}

/** One `--port` of the command line: container port (number or name) → port on this computer. */
export interface PortMapping {
  readonly containerPort: string;
  readonly localPort: number;
}

const ownKeys = Object.entries(schema.properties)
  .filter(([, property]) => !('doNotSuggest' in property))
  .map(([key]) => key);
/** Our own objects: their keys, by name. */
const ownObjects: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  debugAdapter: schema.properties.debugAdapter.properties,
  environment: schema.properties.environment.properties,
  volumes: schema.properties.volumes.properties,
};
const examples = new Map(
  [
    ...Object.entries<object>(schema.properties),
    ...Object.entries({ ...ownObjects, delegate: schema.properties.delegate.properties }).flatMap(([object, keys]) =>
      Object.entries<object>(keys).map(([key, property]) => [`${object}.${key}`, property] as const),
    ),
  ].flatMap(([key, property]) => (hasExamples(property) ? [[key, property.examples[0]] as const] : [])),
);
const portPattern = new RegExp(Object.keys(schema.properties.ports.patternProperties)[0] ?? '');

function hasExamples(property: object): property is { readonly examples: readonly unknown[] } {
  return 'examples' in property && Array.isArray(property.examples);
}

/**
 * A configuration as an IDE or a file gives it, validated and with its defaults. The value itself is not changed.
 * @param origin names the source in errors: `launch.json`, `the launch request`.
 * @throws Problem unknown-key, missing-key, wrong-type or bad-value: the most telling one, naming the key.
 */
export function parseLaunchConfiguration(value: unknown, origin: string): LaunchConfiguration {
  const candidate: unknown = withNumericPort(withObjects(withoutRequestName(structuredClone(value)), origin));
  if (!validate(candidate)) throw problemOf(validate.errors ?? [], origin);
  const foreign = Object.keys(candidate).filter((key) => !ownKeys.includes(key));
  for (const key of foreign) Reflect.deleteProperty(candidate, key);
  checkPorts(candidate.ports ?? {}, origin);
  checkDebugAdapter(candidate.debugAdapter ?? {}, origin);
  checkProcessConfig(candidate.processConfig, origin);
  return candidate;
}

/**
 * `8080:5000` (container port 8080, local port 5000), `http:5000` (container port by name) or `8080` (the same on both sides).
 * @throws Problem bad-arguments.
 */
export function parsePortMapping(text: string): PortMapping {
  const [container = '', local = container, ...more] = text.split(':');
  const localPort = Number(local);
  if (more.length > 0 || !isContainerPort(container) || !/^[1-9]\d*$/.test(local) || localPort > 65535) {
    throw new Problem({
      code: 'bad-arguments',
      what: `"${text}" is not a port mapping.`,
      why: 'It is the container’s port (number or name), a colon, and the port on this computer, both from 1 to 65535.',
      remedy: 'Write for example 8080:5000, http:5000, or 8080 if it is the same on both sides.',
    });
  }
  return { containerPort: container, localPort };
}

/** Whether a text is a port number or a name as Kubernetes allows it for ports (IANA_SVC_NAME). */
function isContainerPort(text: string): boolean {
  return portPattern.test(text) && !(Number(text) > 65535);
}

/** What JSON Schema cannot say about ports. */
function checkPorts(ports: Readonly<Record<string, number>>, origin: string): void {
  const taken = new Map<number, string>();
  for (const [containerPort, localPort] of Object.entries(ports)) {
    if (!isContainerPort(containerPort)) throw badContainerPort(containerPort, origin);
    const other = taken.get(localPort);
    if (other !== undefined) {
      throw new Problem({
        code: 'bad-value',
        what: `${origin}: "ports" leads both ${other} and ${containerPort} to local port ${localPort}.`,
        why: 'The program could not tell their connections apart.',
        remedy: 'Give each container port a local port of its own.',
      });
    }
    taken.set(localPort, containerPort);
  }
}

/** What JSON Schema cannot say in the words of its types: a path, or false. */
function checkProcessConfig(value: LaunchConfiguration['processConfig'], origin: string): void {
  if (value !== true) return;
  throw new Problem({
    code: 'bad-value',
    what: `${origin}: "processConfig" cannot be true.`,
    why: 'It is the path of a file, or false for none; a file beside the program is found without it.',
    remedy: 'Leave it out.',
  });
}

/** The order in which problems are told: a misspelt key is often the reason for a missing one. */
const ranking: readonly ProblemCode[] = ['unknown-key', 'missing-key', 'wrong-type', 'bad-value'];

function problemOf(errors: readonly ErrorObject[], origin: string): Problem {
  const problems = errors.map((error) => describe(error, origin));
  const [first] = problems.sort((a, b) => ranking.indexOf(a.code) - ranking.indexOf(b.code));
  return first ?? new Problem({ code: 'bad-value', what: `${origin} is not valid.`, why: '', remedy: '' });
}

function describe(error: ErrorObject, origin: string): Problem {
  const key = error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const subject = key === '' ? origin : `${origin}: "${key}"`;
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknown = String(error.params.additionalProperty);
      if (key === 'ports') return badContainerPort(unknown, origin);
      const inside = key === '' ? 'a kubernetes-local configuration' : `"${key}"`;
      return new Problem({
        code: 'unknown-key',
        what: `${origin}: "${unknown}" is not a key of ${inside}.`,
        why: '',
        remedy: key === '' ? adviceFor(unknown, ownKeys) : adviceInside(unknown, Object.keys(ownObjects[key] ?? {})),
      });
    }
    case 'required': {
      const missing = String(error.params.missingProperty);
      const path = key === '' ? missing : `${key}.${missing}`;
      const example = key === 'delegate' ? '"delegate": { "type": "debugpy", … }' : '"target": "service/cart"';
      return new Problem({
        code: 'missing-key',
        what: `${origin}: "${path}" is missing.`,
        why:
          key === 'delegate'
            ? 'It says which real debugger to use.'
            : 'It says what runs here instead of in the cluster.',
        remedy: `Add for example ${example}.`,
      });
    }
    case 'type':
      return new Problem({
        code: 'wrong-type',
        what: `${subject} must be ${oneOf(error.params.type)}, but is ${typeOf(error.data)}.`,
        why: '',
        remedy: exampleOf(key),
      });
    case 'enum': {
      const allowed = allowedValues(error);
      const words = allowed.filter((value) => typeof value === 'string');
      const near = typeof error.data === 'string' ? nearest(error.data, words) : undefined;
      return new Problem({
        code: 'bad-value',
        what: `${subject} cannot be ${JSON.stringify(error.data)}.`,
        why: `It can be: ${allowed.map((value) => JSON.stringify(value)).join(', ')}.`,
        remedy: near === undefined ? `Write ${JSON.stringify(allowed[0])} or leave it out.` : `Did you mean "${near}"?`,
      });
    }
    case 'minimum':
    case 'maximum':
      return new Problem({
        code: 'bad-value',
        what: `${subject} cannot be ${JSON.stringify(error.data)}.`,
        why: 'A port is a number from 1 to 65535.',
        remedy: key.startsWith('ports')
          ? 'Give the port on which the program listens on this computer.'
          : exampleOf(key),
      });
    default:
      return new Problem({
        code: 'bad-value',
        what: error.data === '' ? `${subject} is empty.` : `${subject} cannot be ${JSON.stringify(error.data)}.`,
        why: key === 'type' ? 'The real debugger’s type belongs into "delegate".' : '',
        remedy: exampleOf(key),
      });
  }
}

function badContainerPort(port: string, origin: string): Problem {
  return new Problem({
    code: 'bad-value',
    what: `${origin}: "ports" has "${port}", which is not a port of a container.`,
    why: 'On the left stands a port number from 1 to 65535 or the name of a port, such as "http".',
    remedy: 'Write for example "ports": { "8080": 5000 }.',
  });
}

function allowedValues(error: ErrorObject): readonly unknown[] {
  const allowed: unknown = error.params.allowedValues;
  return Array.isArray(allowed) ? allowed : [];
}

/** The schema's first example for a key (`target`, `delegate.type`) as a sentence. */
function exampleOf(key: string): string {
  if (key.startsWith('ports')) return 'Write for example "ports": { "8080": 5000 }.';
  // An item of a list is shown by the whole list.
  const whole = key.replace(/\.\d+$/, '');
  const example = examples.get(whole);
  return example === undefined ? '' : `Write for example "${whole.split('.').at(-1)}": ${JSON.stringify(example)}.`;
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a fraction';
  return withArticle(typeof value);
}

/** A type of the schema, or several. */
function oneOf(types: unknown): string {
  return [types]
    .flat()
    .map(String)
    .flatMap((list) => list.split(','))
    .map(withArticle)
    .join(' or ');
}

function withArticle(type: string): string {
  const word = { integer: 'whole number', array: 'list' }[type] ?? type;
  return `${/^[aeio]/.test(word) ? 'an' : 'a'} ${word}`;
}
