/**
 * What people write when they mean one of our keys: words of the systems before this one, of kubectl, and of the
 * debuggers whose keys belong one level deeper.
 */
import { distance } from 'fastest-levenshtein';

/** Foreign word in lower case → what to write here. Bridge to Kubernetes, mirrord and Telepresence users know these. */
const foreign: Readonly<Record<string, string>> = {
  service: '"target": "service/NAME"',
  servicename: '"target": "service/NAME"',
  targetservice: '"target": "service/NAME"',
  resource: '"target": "service/NAME"',
  resourcename: '"target": "service/NAME"',
  resourcetype: '"target": "service/NAME", which holds kind and name',
  targetresource: '"target": "service/NAME"',
  kind: '"target": "deployment/NAME", which holds kind and name',
  workload: '"target": "deployment/NAME"',
  deployment: '"target": "deployment/NAME"',
  statefulset: '"target": "statefulset/NAME"',
  daemonset: '"target": "daemonset/NAME"',
  pod: '"target": "pod/NAME"',
  path: '"target": "deployment/NAME"',
  targetnamespace: '"namespace"',
  ns: '"namespace"',
  targetcluster: '"context"',
  cluster: '"context"',
  kubecontext: '"context"',
  targetcontext: '"context"',
  targetcontainer: '"container"',
  containername: '"container"',
  port: '"ports": { "CONTAINER PORT": LOCAL PORT }',
  localport: '"ports": { "CONTAINER PORT": LOCAL PORT }',
  localports: '"ports": { "CONTAINER PORT": LOCAL PORT }',
  httpport: '"ports": { "CONTAINER PORT": LOCAL PORT }',
  port_mapping: '"ports": { "CONTAINER PORT": LOCAL PORT }',
  isolateas: '"mode"; requests cannot be split by their sender yet, so leave it out',
  isolation: '"mode"; requests cannot be split by their sender yet, so leave it out',
  routing: '"mode"; requests cannot be split by their sender yet, so leave it out',
  usekubernetesserviceenvironmentvariables: '"network": "env"',
  usekubeserviceenvironmentvariables: '"network": "env"',
  namespaces: '"namespace" for the target\'s own and "otherNamespaces" for further ones',
  sudo: '"elevate"',
  privileges: '"elevate"',
  volumemounts: '"volumes"',
  mounts: '"volumes"',
  externalendpoint: '"externalEndpoints": ["HOST:PORT"]',
  outgoing: '"externalEndpoints": ["HOST:PORT"]',
  kubeconfigpath: '"kubeconfig"',
  image: '"agentImage"',
  debugger: '"delegate": { "type": … }',
  adapter: '"delegate": { "type": … }',
  configuration: '"delegate": { "type": … }',
  launch: '"delegate": { "type": … }',
};

/** Keys of real debuggers that people leave beside the target when they turn a configuration into one of ours. */
const ofDebuggers: ReadonlySet<string> = new Set([
  'args',
  'breakpointMode',
  'buildFlags',
  'code',
  'connect',
  'console',
  'cwd',
  'django',
  'dlvFlags',
  'env',
  'envFile',
  'externalConsole',
  'initCommands',
  'jinja',
  'justMyCode',
  'logToFile',
  'mainClass',
  'module',
  'outFiles',
  'outputCapture',
  'pathMappings',
  'processId',
  'program',
  'python',
  'runtimeArgs',
  'runtimeExecutable',
  'runtimeVersion',
  'showLog',
  'skipFiles',
  'smartStep',
  'sourceMaps',
  'stdio',
  'stopAtEntry',
  'stopOnEntry',
  'subProcess',
  'substitutePath',
  'terminal',
  'trace',
  'vmArgs',
]);

/** What to do about a key that is not in the schema: one sentence that names the right word if there is a likely one. */
export function adviceFor(unknown: string, known: readonly string[]): string {
  const word = unknown.toLowerCase();
  if (Object.hasOwn(foreign, word)) return `Write ${foreign[word]} instead.`;
  if (ofDebuggers.has(unknown)) return `It belongs to the real debugger: move it into "delegate".`;
  const near = nearest(unknown, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return `The keys are: ${known.join(', ')}. Keys of the real debugger go into "delegate".`;
}

/** The same for a key inside one of our own objects, whose keys are `known`. */
export function adviceInside(unknown: string, known: readonly string[]): string {
  const near = nearest(unknown, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (ofDebuggers.has(unknown)) return `It belongs to the real debugger: move it into "delegate".`;
  return `The keys are: ${known.join(', ')}.`;
}

/** The one of `candidates` that `word` is a likely misspelling of. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [first] = ranked;
  return first !== undefined && first.distance <= Math.max(1, Math.floor(first.candidate.length / 3))
    ? first.candidate
    : undefined;
}
