/** Which cluster, namespace and workload: asked with what is there, beginning where the kubeconfig points to. */
import { distance } from 'fastest-levenshtein';
import {
  namespaceNames,
  type ServiceCandidate,
  serviceCandidates,
  type WorkloadCandidate,
  workloadCandidates,
} from '../cluster/candidates.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { display, parseTarget } from '../cluster/kinds.ts';
import { knownContexts } from '../cluster/kubeconfig.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { unlessAborted } from '../within.ts';
import type { Choice, Prompter } from './prompter.ts';

export interface PlaceOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly log: Log;
}

/** A namespace that was looked into. */
export interface Place {
  readonly cluster: Cluster;
  /** undefined: the user may not list them. */
  readonly services: readonly ServiceCandidate[] | undefined;
}

export interface ChosenTarget {
  readonly cluster: Cluster;
  /** As in a launch configuration: `service/cart`. */
  readonly target: string;
}

/** Opens the cluster and reads its Services. Problems as openCluster. */
export async function openPlace(options: PlaceOptions, signal: AbortSignal): Promise<Place> {
  const { kubeconfig, context, namespace, log } = options;
  const named = {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(namespace !== undefined && { namespace }),
  };
  return await lookInto(await openCluster({ ...named, log }, signal), signal);
}

/**
 * The same, begun while other things are asked; a failure is told to whoever waits for it. undefined: the context has to be
 * asked for first. Problems kubeconfig-missing, kubeconfig-invalid.
 */
export function beginPlace(options: PlaceOptions, signal: AbortSignal): Promise<Place> | undefined {
  if (options.context === undefined && knownContexts(options).current === undefined) return undefined;
  const place = openPlace(options, signal);
  place.catch(() => {});
  return place;
}

async function lookInto(cluster: Cluster, signal: AbortSignal): Promise<Place> {
  return { cluster, services: await serviceCandidates(cluster, signal) };
}

type Answer =
  | { readonly kind: 'service'; readonly service: ServiceCandidate }
  | { readonly kind: 'namespace' | 'context' | 'workload' };

/**
 * Asks which Service or workload is meant.
 * @param begun the place that is read already while other things were asked.
 * @param likely names that the Service may resemble, the likeliest first.
 */
export async function chooseTarget(
  options: PlaceOptions,
  begun: Promise<Place> | undefined,
  likely: readonly string[],
  prompter: Prompter,
  signal: AbortSignal,
): Promise<ChosenTarget> {
  const looking = (what: string, work: (signal: AbortSignal) => Promise<Place>) => prompter.wait(what, work, signal);
  const { names: contexts, current } = knownContexts(options);
  const elsewhere = async (context: string | undefined) =>
    await looking(context === undefined ? 'Reading the Services' : `Reading the Services of ${context}`, (ended) =>
      openPlace({ kubeconfig: options.kubeconfig, context, log: options.log }, ended),
    );
  let place =
    begun !== undefined
      ? await looking('Reading the Services', (ended) => unlessAborted(begun, ended))
      : options.context === undefined && current === undefined
        ? await elsewhere(await chooseContext(contexts, undefined, prompter, signal))
        : await looking('Reading the Services', (ended) => openPlace(options, ended));
  for (;;) {
    const { cluster, services } = place;
    if (services === undefined) return { cluster, target: await enterTarget(cluster, prompter, signal) };
    const answer = await prompter.choose<Answer>(
      {
        title: title(place),
        option: '--target',
        choices: [
          ...likeliestFirst(services, likely).map((service) => ({
            label: service.name,
            description: describe(service),
            value: { kind: 'service', service } as const,
          })),
          {
            label: 'A workload without a Service …',
            description: 'Deployment, StatefulSet or DaemonSet',
            value: { kind: 'workload' },
          },
          { label: 'Another namespace …', description: `now ${cluster.namespace}`, value: { kind: 'namespace' } },
          ...(contexts.length > 1
            ? [
                {
                  label: 'Another cluster …',
                  description: `now ${cluster.context}`,
                  value: { kind: 'context' } as const,
                },
              ]
            : []),
        ],
      },
      signal,
    );
    if (answer.kind === 'service') return { cluster, target: await targetOf(answer.service, prompter, signal) };
    if (answer.kind === 'workload') {
      const target = await chooseWorkload(cluster, prompter, signal);
      if (target !== undefined) return { cluster, target };
    } else if (answer.kind === 'namespace') {
      const namespace = await chooseNamespace(cluster, prompter, signal);
      place = await looking(`Reading the Services of ${namespace}`, (ended) =>
        lookInto({ ...cluster, namespace }, ended),
      );
    } else {
      place = await elsewhere(await chooseContext(contexts, cluster.context, prompter, signal));
    }
  }
}

function title({ cluster, services }: Place): string {
  const where = `namespace ${cluster.namespace} of ${cluster.context}`;
  if (services?.length === 0) return `No Service in ${where} has running pods. What runs on this computer?`;
  return `Which Service runs on this computer? (${where})`;
}

/** `port 80, Deployment`; the workload's name only if it is another one. */
function describe({ name, ports, workloads }: ServiceCandidate): string {
  const shown = ports.length === 0 ? [] : [`${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}`];
  const behind = workloads.map((each) => (each.name === name ? each.kind : `${each.kind} ${each.name}`));
  return [...shown, ...behind].join(', ');
}

/** The one that resembles something likely comes first; the others stay as they are. */
function likeliestFirst(services: readonly ServiceCandidate[], likely: readonly string[]): readonly ServiceCandidate[] {
  for (const word of likely) {
    const first = mostAlike(services, word);
    if (first !== undefined) return [first, ...services.filter((each) => each !== first)];
  }
  return services;
}

function mostAlike(services: readonly ServiceCandidate[], word: string): ServiceCandidate | undefined {
  const wanted = plain(word);
  const likeness = ({ name }: ServiceCandidate): number => {
    const other = plain(name);
    if (other === wanted) return 4;
    if (Math.min(other.length, wanted.length) < 3) return 0;
    if (other.includes(wanted) || wanted.includes(other)) return 3;
    return distance(other, wanted) <= Math.floor(wanted.length / 4) ? 2 : 0;
  };
  const [best] = services.map((service) => ({ service, alike: likeness(service) })).sort((a, b) => b.alike - a.alike);
  return best && best.alike > 0 ? best.service : undefined;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** A Service over several workloads is no target; one of them is. */
async function targetOf(
  { name, workloads }: ServiceCandidate,
  prompter: Prompter,
  signal: AbortSignal,
): Promise<string> {
  if (workloads.length < 2) return `service/${name}`;
  return await prompter.choose(
    {
      title: `Service ${name} leads to several workloads. Which one runs on this computer?`,
      option: '--target',
      choices: workloads.map(asChoice),
    },
    signal,
  );
}

function asChoice(workload: WorkloadCandidate): Choice<string> {
  return { label: workload.name, description: workload.kind, value: display(workload) };
}

/** undefined: back to the Services. */
async function chooseWorkload(cluster: Cluster, prompter: Prompter, signal: AbortSignal): Promise<string | undefined> {
  const workloads = await prompter.wait('Reading the workloads', (ended) => workloadCandidates(cluster, ended), signal);
  return await prompter.choose<string | undefined>(
    {
      title:
        workloads.length > 0
          ? `Which workload of namespace ${cluster.namespace} runs on this computer?`
          : `There is no workload in namespace ${cluster.namespace}, or you may not list them.`,
      option: '--target',
      choices: [...workloads.map(asChoice), { label: 'Back to the Services', value: undefined }],
    },
    signal,
  );
}

async function chooseNamespace(cluster: Cluster, prompter: Prompter, signal: AbortSignal): Promise<string> {
  const names = await prompter.wait('Reading the namespaces', (ended) => namespaceNames(cluster, ended), signal);
  const title = 'Which namespace?';
  const others = names?.filter((name) => name !== cluster.namespace) ?? [];
  if (others.length > 0) {
    const choices = others.map((name) => ({ label: name, value: name }));
    return await prompter.choose({ title, option: '--namespace', choices }, signal);
  }
  const check = (text: string) =>
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text.trim()) ? undefined : 'That cannot be the name of a namespace.';
  const typed = await prompter.enter(
    {
      title: names === undefined ? `${title} You may not list them; type its name.` : title,
      option: '--namespace',
      initial: '',
      check,
    },
    signal,
  );
  return typed.trim();
}

async function chooseContext(
  contexts: readonly string[],
  now: string | undefined,
  prompter: Prompter,
  signal: AbortSignal,
): Promise<string> {
  const choices = contexts.filter((name) => name !== now).map((name) => ({ label: name, value: name }));
  const [only] = choices;
  if (only === undefined || choices.length === 1) return only?.value ?? '';
  return await prompter.choose({ title: 'Which context of your kubeconfig?', option: '--context', choices }, signal);
}

async function enterTarget(cluster: Cluster, prompter: Prompter, signal: AbortSignal): Promise<string> {
  const typed = await prompter.enter(
    {
      title: `What runs on this computer? You may not list the Services of namespace ${cluster.namespace}; type a name, or KIND/NAME.`,
      option: '--target',
      initial: '',
      check: (text) => {
        try {
          parseTarget(text);
          return undefined;
        } catch (error) {
          if (error instanceof Problem) return `${error.what} ${error.remedy}`;
          throw error;
        }
      },
    },
    signal,
  );
  return asTarget(typed);
}

/** A target as it is written into a configuration, its kind in one way. Problems bad-value, target-unsupported. */
export function asTarget(text: string): string {
  const { kind, name } = parseTarget(text);
  return kind === undefined ? name : display({ kind, name });
}
