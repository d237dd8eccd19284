/** The files of the container's volumes on this computer, for as long as the session stands. */
import { dirname, join } from 'node:path';
import type { Cluster } from '../../cluster/cluster.ts';
import type { ResolvedTarget } from '../../cluster/target.ts';
import { volumeReader } from '../../cluster/volume-sources.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { EnvironmentVariable } from '../../environment/environment.ts';
import { findMount } from '../../environment/process-config/evaluate.ts';
import { AgentVolumes } from '../../environment/volumes/agent-volumes.ts';
import { ApiVolumes } from '../../environment/volumes/api-volumes.ts';
import type { LocalMount } from '../../environment/volumes/local-mount.ts';
import { linkMounts } from '../../environment/volumes/mounts-tree.ts';
import { automaticVolume, type PlannedVolume, planVolumes } from '../../environment/volumes/plan.ts';
import { makeVolumesFolder, mountsFolder, volumesFolderPath } from '../../environment/volumes/volumes-folder.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';
import { Problem } from '../../problem.ts';
import { RemoteFiles } from '../../tunnel/remote-files.ts';
import type { Tunnels } from '../../tunnel/tunnels.ts';
import type { Act } from '../journal/journal.ts';
import type { ConnectRequest, Notice } from '../protocol.ts';
import { identityOf, valuesOf } from './pod-environment.ts';
import { makeLink, planLink } from './volume-links.ts';

export interface SessionVolumesOptions {
  readonly session: string;
  readonly request: Pick<ConnectRequest, 'volumes' | 'onUnresolved'>;
  readonly cluster: Cluster;
  readonly target: ResolvedTarget;
  readonly journal: { append(act: Act): void };
  /** The session's folder, where there is no place in memory. */
  readonly folder: string;
  readonly log: Log;
  progress(text: string): void;
  notice(notice: Notice): void;
}

/** What the volumes are made from once the agent stands. */
export interface AgentPod {
  readonly name: string;
  /** The V1Pod of the agent, with the containers as they were. */
  readonly pod: unknown;
  readonly variables: readonly EnvironmentVariable[];
  readonly tunnels: Tunnels;
  readonly network: WorkstationNetwork;
}

/** A mount, and the link of the user's choice that leads to it. */
export interface LinkedMount extends LocalMount {
  readonly link?: string;
}

export class SessionVolumes implements AsyncDisposable {
  readonly #options: SessionVolumesOptions;
  readonly #folder: string;
  readonly #ended = new AbortController();
  #api: ApiVolumes | undefined;
  #agent: AgentVolumes | undefined;
  /** The pod to which tokens are bound. */
  #pod: string | undefined;
  #following: Promise<void> | undefined;
  /** Brings the tree of mounts up to date; undefined until it is made. */
  #changed: (() => Promise<void>) | undefined;
  #mounts: readonly LinkedMount[] = [];

  constructor(options: SessionVolumesOptions) {
    this.#options = options;
    this.#folder = volumesFolderPath(options.session, options.folder);
  }

  /** The mounts as they are here. */
  get mounts(): readonly LinkedMount[] {
    return this.#mounts;
  }

  /** Beneath it each mount is at its own path; undefined if the container has none. */
  get mountsFolder(): string | undefined {
    return this.#mounts.length === 0 ? undefined : mountsFolder(this.#folder);
  }

  /** Asks whether links and files can be had, before anything is changed. Problems bad-value, volume-unresolved. */
  async check(variables: readonly EnvironmentVariable[], signal: AbortSignal): Promise<void> {
    const { request, target } = this.#options;
    await Promise.all([
      ...Object.values(request.volumes.localPaths).map((path) => planLink(path, this.#folder)),
      ApiVolumes.check(this.#input(target.pod, valuesOf(variables)), signal),
    ]);
  }

  /** The agent has other pods than before: what is bound to a pod that is gone is bound to one of these. */
  async usePods(pods: readonly string[], signal: AbortSignal): Promise<void> {
    const { cluster, target } = this.#options;
    const [next] = pods;
    if (this.#api === undefined || next === undefined || this.#pod === undefined || pods.includes(this.#pod)) return;
    this.#pod = next;
    this.#api.usePod(await identityOf(cluster, target, next, signal));
  }

  /** Makes the files. Problems volume-unresolved, right-missing and others of the volumes. */
  async open(agent: AgentPod, signal: AbortSignal): Promise<void> {
    const { target, journal, log, notice } = this.#options;
    const variables = valuesOf(agent.variables);
    const planned = planVolumes(agent.pod, target.container, variables);
    if (planned.length === 0) return;
    journal.append({ act: 'volumes', folder: this.#folder });
    await makeVolumesFolder(this.#folder);
    const [api, fromPod] = await Promise.all([
      this.#openApi(agent.pod, variables, signal),
      this.#openAgent(planned, agent.tunnels, signal),
    ]);
    const mounts = [...api.mounts, ...fromPod];
    const link = () => linkMounts(this.#folder, this.#mounts);
    this.#mounts = mounts;
    await link();
    this.#changed = link;
    this.#mounts = await this.#show(mounts, agent.network, signal);
    for (const text of api.notes) notice({ level: 'warning', text });
    for (const { mountPath, volume, note } of this.#mounts) {
      // Few programs use what Kubernetes adds to each pod by itself.
      const level = automaticVolume.test(volume) ? 'info' : 'warning';
      if (note !== undefined) notice({ level, text: `${mountPath}: ${note}` });
    }
    await this.#link(agent.network.mode);
    this.#pod = agent.name;
    this.#following = api.follow(this.#ended.signal).catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      log.write('error', 'the volumes can no longer be kept as they are in the cluster', { error });
      const why = error instanceof Error ? error.message : String(error);
      notice({
        level: 'warning',
        text: `The files of ConfigMaps, Secrets and tokens are no longer kept up to date: ${why}`,
      });
    });
  }

  /** Sends what is to be written back, and ends the updates; the files go with the undo of the journal. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#following;
    await this.#agent?.[Symbol.asyncDispose]();
    await this.#api?.[Symbol.asyncDispose]();
  }

  async #openApi(pod: unknown, variables: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ApiVolumes> {
    const { log, notice } = this.#options;
    this.#api = await ApiVolumes.open(
      {
        ...this.#input(pod, variables),
        folder: this.#folder,
        notice: (text) => notice({ level: 'warning', text }),
        log,
        changed: async () => this.#changed?.(),
      },
      signal,
    );
    return this.#api;
  }

  #input(pod: unknown, variables: Readonly<Record<string, string>>) {
    const { request, cluster, target } = this.#options;
    return {
      pod,
      container: target.container,
      namespace: target.workload.namespace,
      variables,
      reader: volumeReader(cluster),
      onUnresolved: request.onUnresolved,
    };
  }

  async #openAgent(
    planned: readonly PlannedVolume[],
    tunnels: Tunnels,
    signal: AbortSignal,
  ): Promise<readonly LocalMount[]> {
    const { request, notice, progress, log, folder } = this.#options;
    const volumes = planned.filter(({ from }) => from === 'agent');
    if (volumes.length === 0) return [];
    if (request.volumes.copy === 'never') return volumes.flatMap(notCopied);
    this.#agent = await AgentVolumes.open(
      {
        volumes,
        files: RemoteFiles.over(tunnels),
        folder: this.#folder,
        aside: join(dirname(folder), 'not-written-back'),
        limit: request.volumes.limit,
        writeBack: request.volumes.writeBack,
        notice: (text) => notice({ level: 'warning', text }),
        progress,
        log,
      },
      signal,
    );
    return this.#agent.mounts;
  }

  /** Where programs have a place of their own, each mount is at its own path there. */
  async #show(
    mounts: readonly LocalMount[],
    network: WorkstationNetwork,
    signal: AbortSignal,
  ): Promise<readonly LocalMount[]> {
    const here = mounts.flatMap(({ mountPath, localPath, readOnly }) =>
      localPath === undefined ? [] : [{ mountPath, localPath, readOnly }],
    );
    const remarks = new Map((await network.showMounts(here, signal)).map((remark) => [remark.mountPath, remark]));
    return mounts.map((mount) => {
      const remark = remarks.get(mount.mountPath);
      if (remark === undefined) return mount;
      if (remark.shown) this.#options.notice({ level: 'info', text: remark.why });
      return remark.shown ? mount : { ...mount, note: [mount.note, remark.why].filter(Boolean).join(' ') };
    });
  }

  /** Links of the launch configuration must be made; those of the ancestor's file are told if they cannot. */
  async #link(mode: WorkstationNetwork['mode']): Promise<void> {
    const { localPaths, namedPaths } = this.#options.request.volumes;
    const asked = Object.entries(localPaths).map(([mountPath, path]) => ({
      path,
      named: mountPath,
      mount: this.#mounts.find((each) => each.mountPath === mountPath.replace(/(?<=.)\/+$/, '')),
      must: true,
    }));
    const named = namedPaths.map(({ name, localPath }) => ({
      path: localPath,
      named: name,
      mount: findMount(name, this.#mounts),
      must: false,
    }));
    for (const { path, named: what, mount, must } of [...asked, ...named]) {
      // It is there already.
      if (mode === 'namespace' && mount?.mountPath === path) continue;
      if (mount?.localPath === undefined) {
        const why = mount === undefined ? 'the container mounts nothing of that name' : 'its files are not here';
        this.#warn(`There is no link ${path} to ${what}: ${why}.`);
      } else await this.#makeLink(path, mount, mount.localPath, must);
    }
  }

  async #makeLink(path: string, mount: LocalMount, target: string, must: boolean): Promise<void> {
    try {
      const act = await planLink(path, this.#folder);
      this.#options.journal.append(act);
      await makeLink(act, target);
      this.#mounts = this.#mounts.map((each) => (each === mount ? { ...each, link: path } : each));
    } catch (error) {
      if (must) throw error;
      this.#warn(Problem.from(error).message);
    }
  }

  #warn(text: string): void {
    this.#options.notice({ level: 'warning', text });
  }
}

function notCopied({ name, kind, mounts }: PlannedVolume): readonly LocalMount[] {
  return mounts.map(({ mountPath, readOnly }) => ({
    mountPath,
    volume: name,
    kind,
    localPath: undefined,
    readOnly,
    note: 'It is not copied, as "volumes": { "copy": "never" } asks for.',
  }));
}
