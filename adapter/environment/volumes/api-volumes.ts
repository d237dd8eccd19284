/**
 * The container's volumes that are made from the API: written when the session connects, and kept as kubelet would keep
 * them in the pod. Their folder is made before, and removed afterwards, by whoever opens this.
 */
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { type Pod, parsePod } from '../pod.ts';
import { ApiVolume } from './api-volume.ts';
import type { LinkOperations } from './atomic-writer.ts';
import { GatheredSources, objectKey } from './gathered-sources.ts';
import type { LocalMount } from './local-mount.ts';
import { automaticVolume, planVolumes, volumeOf } from './plan.ts';
import { objectsOf, projectVolume, showsPod, tokensOf, type WantedToken } from './projection.ts';
import { type Clock, keepToken, systemClock } from './service-account-token.ts';
import type { ObjectReference, VolumeReader } from './volume-reader.ts';

/** What the volumes are worked out from. */
export interface VolumeInput {
  /** The V1Pod as the API gives it: tokens are bound to it. */
  readonly pod: unknown;
  readonly container: string;
  readonly namespace: string;
  /** The container's variables, for `subPathExpr`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly reader: VolumeReader;
  /** What to do about what is missing or may not be read. Default: fail. */
  readonly onUnresolved?: 'fail' | 'leave-out';
  /** For tests. */
  readonly clock?: Clock;
}

export interface ApiVolumesOptions extends VolumeInput {
  /** The session's folder, made by makeVolumesFolder. */
  readonly folder: string;
  /** Warnings for the user while the session lives. */
  notice(text: string): void;
  readonly log: Log;
  /** After the files of a volume have changed; for linkMounts. Not called by `open`. */
  changed?(): Promise<void>;
  /** For tests. */
  readonly operations?: LinkOperations;
}

export class ApiVolumes implements AsyncDisposable {
  readonly #options: ApiVolumesOptions;
  readonly #clock: Clock;
  readonly #sources: GatheredSources;
  readonly #volumes: readonly ApiVolume[];
  readonly #ended = new AbortController();
  readonly #following = new Set<Promise<void>>();
  /** Why a volume's old files stay, as the user was told. */
  readonly #kept = new Map<ApiVolume, string>();
  #podReplaced = new AbortController();
  #work: Promise<void> = Promise.resolve();
  /** In the order of the pod's volumes; those from the API only. */
  readonly mounts: readonly LocalMount[];
  /** Sentences for the user that belong to no single mount. */
  readonly notes: readonly string[];

  private constructor(
    options: ApiVolumesOptions,
    sources: GatheredSources,
    made: readonly { readonly volume: ApiVolume; readonly mounts: readonly LocalMount[] }[],
  ) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sources = sources;
    // What was left out stays so: the program has started without it.
    this.#volumes = made.flatMap(({ volume, mounts }) =>
      mounts.some(({ localPath }) => localPath !== undefined) ? [volume] : [],
    );
    this.mounts = made.flatMap(({ mounts }) => mounts);
    const isPlain = made.some(({ volume }) => volume.isPlain);
    this.notes = isPlain
      ? ['This computer does not let us make links: files of volumes are plain files here, and replaced one by one.']
      : [];
  }

  /**
   * Reads what the volumes are made from and writes them.
   * @throws Problem volume-unresolved, naming volume, object, key and right, when something that is not optional is
   * missing and `onUnresolved` is not leave-out; state-unwritable; those of the reader.
   */
  static async open(options: ApiVolumesOptions, signal: AbortSignal): Promise<ApiVolumes> {
    const { pod, planned, sources, projections } = await project(options, signal);
    const made: { readonly volume: ApiVolume; readonly mounts: readonly LocalMount[] }[] = [];
    for (const [index, { plan, volume: described }] of planned.entries()) {
      const projection = projections[index];
      if (projection === undefined) continue;
      signal.throwIfAborted();
      const volume = new ApiVolume(plan, described, pod, options.folder, options.operations);
      made.push({ volume, mounts: await volume.make(pod, projection) });
    }
    return new ApiVolumes(options, sources, made);
  }

  /** Whether `open` would refuse: reads the same and writes nothing, so that it can be asked before anything is changed. */
  static async check(options: VolumeInput, signal: AbortSignal): Promise<void> {
    await project(options, signal);
  }

  /**
   * Follows the cluster until the signal is aborted: changed objects, the pod's labels and annotations, tokens that end.
   * What cannot be followed any longer is told, and the rest goes on. Resolves once it has ended.
   */
  follow(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#ended.signal]);
    const objects = new Map<string, ObjectReference>();
    for (const { volume } of this.#volumes) {
      for (const reference of objectsOf(volume)) {
        const data = this.#sources.object(reference);
        if (!('denied' in data)) objects.set(objectKey(reference), reference);
      }
    }
    const all = Promise.all([
      ...[...objects.values()].map((reference) => this.#followObject(reference, both)),
      this.#followIdentity(both),
    ]).then(() => this.#work);
    this.#following.add(all);
    return all;
  }

  /** The pod was replaced by another one: its fields are shown from now on, and tokens are bound to it. */
  usePod(value: unknown): void {
    const { metadata, spec, status } = parsePod(value);
    const former = this.#sources.pod;
    // Its volumes have other names; what they are made from is the same.
    this.#sources.pod = { metadata, status, spec: { ...former.spec, nodeName: spec.nodeName } };
    this.#podReplaced.abort();
    this.#podReplaced = new AbortController();
    this.#update(({ volume }) => showsPod(volume));
  }

  /** Ends following. The files stay until the session's folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#following);
    await this.#work;
  }

  async #followObject(reference: ObjectReference, signal: AbortSignal): Promise<void> {
    const { reader, namespace } = this.#options;
    const key = objectKey(reference);
    await this.#untilAborted(`${key} is not followed any longer`, signal, async () => {
      for await (const data of reader.followObject(namespace, reference, signal)) {
        this.#sources.setObject(reference, data);
        this.#update(({ volume }) => objectsOf(volume).some((each) => objectKey(each) === key));
      }
    });
  }

  /** What depends on the pod begins anew with each pod. */
  async #followIdentity(signal: AbortSignal): Promise<void> {
    const tokens = new Map<string, WantedToken>();
    for (const { volume } of this.#volumes) {
      for (const wanted of tokensOf(volume)) {
        if (!('why' in this.#sources.held(wanted))) tokens.set(JSON.stringify(wanted), wanted);
      }
    }
    const watchesPod = this.#volumes.some(({ volume }) => showsPod(volume));
    if (tokens.size === 0 && !watchesPod) return;
    while (!signal.aborted) {
      const replaced = this.#podReplaced.signal;
      const until = AbortSignal.any([signal, replaced]);
      await Promise.all([
        watchesPod ? this.#followPod(until) : undefined,
        ...[...tokens.values()].map((wanted) => this.#keepToken(wanted, until)),
      ]);
      if (!until.aborted) await aborted(until);
    }
  }

  async #followPod(signal: AbortSignal): Promise<void> {
    const { reader, namespace } = this.#options;
    const { name, uid } = this.#sources.pod.metadata;
    await this.#untilAborted(`Labels and annotations of pod ${name} are not followed any longer`, signal, async () => {
      for await (const value of reader.followPod(namespace, name, signal)) {
        if (value === undefined) continue;
        const { metadata } = parsePod(value);
        if (metadata.uid !== uid) continue;
        // Only these change in a living pod; its containers are the agent's.
        this.#sources.pod = { ...this.#sources.pod, metadata };
        this.#update(({ volume }) => showsPod(volume));
      }
    });
  }

  async #keepToken(wanted: WantedToken, signal: AbortSignal): Promise<void> {
    const { log, notice } = this.#options;
    const what = `service account token${wanted.audience === '' ? '' : ` for ${wanted.audience}`}`;
    const held = this.#sources.held(wanted);
    const isGood = !('why' in held) && held.pod === this.#sources.pod.metadata.uid;
    let hasExpired = false;
    await this.#untilAborted(`The ${what} is not renewed any longer`, signal, () =>
      keepToken(
        {
          current: isGood ? held : undefined,
          clock: this.#clock,
          request: async (until) => {
            const { token, lifetime } = await this.#sources.renew(wanted, until);
            return { token: Buffer.from(token).toString('utf8'), lifetime };
          },
          renewed: async () => {
            if (hasExpired) notice(`The ${what} is good again.`);
            hasExpired = false;
            this.#update(({ volume }) => tokensOf(volume).some((each) => isSame(each, wanted)));
          },
          failed: (error) => log.write('warn', `the ${what} could not be renewed`, { error }),
          expired: (error) => {
            hasExpired = true;
            notice(`The ${what} has expired, and there is no new one yet: ${Problem.from(error).message}`);
          },
        },
        signal,
      ),
    );
  }

  /** A failure ends this part only, and is told. */
  async #untilAborted(text: string, signal: AbortSignal, follow: () => Promise<void>): Promise<void> {
    try {
      await follow();
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.write('warn', 'a part of the volumes is not followed any longer', { part: text, error });
      this.#options.notice(`${text}: ${Problem.from(error).message}`);
    }
  }

  /** Writes these volumes anew, one after the other. */
  #update(concerns: (volume: ApiVolume) => boolean): void {
    this.#work = this.#work.then(async () => {
      for (const volume of this.#volumes.filter(concerns)) {
        if (this.#ended.signal.aborted) return;
        try {
          await this.#rewrite(volume);
        } catch (error) {
          this.#options.log.write('error', 'a volume could not be written', { volume: volume.planned.name, error });
          this.#keep(volume, Problem.from(error).message);
        }
      }
    });
  }

  async #rewrite(volume: ApiVolume): Promise<void> {
    const { changed, kept } = await volume.update(projectVolume(volume.volume, this.#sources));
    if (kept !== undefined) return this.#keep(volume, kept);
    this.#kept.delete(volume);
    if (!changed) return;
    this.#options.log.write('info', 'a volume has new files', { volume: volume.planned.name });
    await this.#options.changed?.();
  }

  #keep(volume: ApiVolume, why: string): void {
    if (this.#kept.get(volume) === why) return;
    this.#kept.set(volume, why);
    this.#options.notice(`The files of volume ${volume.planned.name} stay as they are: ${why}`);
  }
}

/** Reads all sources and works out the files. @throws Problem volume-unresolved, and those of the reader. */
async function project(input: VolumeInput, signal: AbortSignal) {
  const { namespace, reader, container, variables, clock = systemClock } = input;
  const pod = parsePod(input.pod);
  const planned = planVolumes(input.pod, container, variables).flatMap((plan) => {
    const volume = plan.from === 'api' ? volumeOf(pod, plan.name) : undefined;
    return volume ? [{ plan, volume }] : [];
  });
  const volumes = planned.map(({ volume }) => volume);
  const sources = await GatheredSources.read({ pod, volumes, namespace, reader, now: () => clock.now() }, signal);
  const projections = volumes.map((volume) => projectVolume(volume, sources));
  if (input.onUnresolved !== 'leave-out') {
    // What Kubernetes adds to nearly each pod by itself is no reason to refuse: most programs never look at it, and many
    // users may not ask for tokens. Its mount says what it lacks.
    failOnMissing(
      pod,
      projections.flatMap(({ missing }, index) =>
        automaticVolume.test(planned[index]?.plan.name ?? '') ? [] : missing,
      ),
    );
  }
  return { pod, planned, sources, projections };
}

function failOnMissing(pod: Pod, missing: readonly string[]): void {
  const [first, ...others] = missing;
  if (first === undefined) return;
  throw new Problem({
    code: 'volume-unresolved',
    what: `The volumes of pod ${pod.metadata.name} cannot be made here. ${first}`,
    why: others.join(' '),
    remedy:
      'Create what is missing, or ask the cluster administrator for the right. With "onUnresolved": "leave-out" the session goes on without.',
  });
}

function isSame(a: WantedToken, b: WantedToken): boolean {
  return a.audience === b.audience && a.expirationSeconds === b.expirationSeconds;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
