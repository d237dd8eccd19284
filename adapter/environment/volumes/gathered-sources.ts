/** What was read of the cluster for a pod's volumes, kept up to date by `ApiVolumes`; and why something could not be read. */
import { Problem } from '../../problem.ts';
import type { Pod, Volume } from '../pod.ts';
import type { Allocatable } from '../resources.ts';
import { needsNode, objectsOf, tokensOf, type VolumeSources, type WantedToken } from './projection.ts';
import type { ObjectData, ObjectReference, VolumeReader } from './volume-reader.ts';

interface Unreadable {
  readonly why: string;
  readonly denied?: boolean;
}

/** A token that a volume holds. */
export interface HeldToken {
  readonly token: Uint8Array;
  readonly lifetime: number;
  /** When it was issued, by this computer's clock, in milliseconds. */
  readonly issued: number;
  /** The uid of the pod that it ends with. */
  readonly pod: string;
}

export interface GatheringOptions {
  readonly pod: Pod;
  readonly volumes: readonly Volume[];
  readonly namespace: string;
  readonly reader: VolumeReader;
  now(): number;
}

export class GatheredSources implements VolumeSources {
  readonly namespace: string;
  readonly #reader: VolumeReader;
  readonly #objects = new Map<string, ObjectData | Unreadable>();
  readonly #tokens = new Map<string, HeldToken | Unreadable>();
  readonly #now: () => number;
  pod: Pod;
  allocatable: Allocatable | undefined;

  private constructor({ pod, namespace, reader, now }: GatheringOptions) {
    this.pod = pod;
    this.namespace = namespace;
    this.#reader = reader;
    this.#now = now;
  }

  /** Reads everything that the volumes need: each once, all at the same time. Problems other than a missing right are thrown. */
  static async read(options: GatheringOptions, signal: AbortSignal): Promise<GatheredSources> {
    const sources = new GatheredSources(options);
    const { volumes, pod, reader } = options;
    const objects = new Map(volumes.flatMap(objectsOf).map((each) => [objectKey(each), each]));
    const tokens = new Map(volumes.flatMap(tokensOf).map((each) => [tokenKey(each), each]));
    await Promise.all([
      ...[...objects.values()].map((each) => sources.#readObject(each, signal)),
      ...[...tokens.values()].map((each) => sources.#readToken(each, signal)),
      (async () => {
        // Few users may read nodes, so that is asked for only where no limit of the pod's own answers.
        if (pod.spec.nodeName === '' || !volumes.some((volume) => needsNode(pod, volume))) return;
        sources.allocatable = await reader.nodeAllocatable?.(pod.spec.nodeName, signal);
      })(),
    ]);
    return sources;
  }

  object(reference: ObjectReference): ObjectData | Unreadable {
    return this.#objects.get(objectKey(reference)) ?? { why: 'it was not read.' };
  }

  token(wanted: WantedToken): Uint8Array | Unreadable {
    const held = this.held(wanted);
    return 'why' in held ? held : held.token;
  }

  held(wanted: WantedToken): HeldToken | Unreadable {
    return this.#tokens.get(tokenKey(wanted)) ?? { why: 'it was not asked for.' };
  }

  setObject(reference: ObjectReference, data: ObjectData | undefined): void {
    this.#objects.set(objectKey(reference), data ?? { why: 'it does not exist.' });
  }

  /** A new token for the pod as it is now. Problems as the reader's. */
  async renew(wanted: WantedToken, signal: AbortSignal): Promise<HeldToken> {
    const { metadata, spec } = this.pod;
    const issued = await this.#reader.token(
      this.namespace,
      {
        // The pod of an old cluster may name none.
        serviceAccount: spec.serviceAccountName || 'default',
        ...wanted,
        pod: { name: metadata.name, uid: metadata.uid },
      },
      signal,
    );
    const held = {
      token: Buffer.from(issued.token),
      lifetime: issued.lifetime,
      issued: this.#now(),
      pod: metadata.uid,
    };
    this.#tokens.set(tokenKey(wanted), held);
    return held;
  }

  async #readObject(reference: ObjectReference, signal: AbortSignal): Promise<void> {
    try {
      this.setObject(reference, await this.#reader.object(this.namespace, reference, signal));
    } catch (error) {
      const right = `get ${reference.kind.toLowerCase()}s "${reference.name}"`;
      this.#objects.set(objectKey(reference), this.#denied(error, right));
    }
  }

  async #readToken(wanted: WantedToken, signal: AbortSignal): Promise<void> {
    try {
      await this.renew(wanted, signal);
    } catch (error) {
      const right = `create serviceaccounts/token "${this.pod.spec.serviceAccountName || 'default'}"`;
      this.#tokens.set(tokenKey(wanted), isRefusal(error) ? { why: sentence(error) } : this.#denied(error, right));
    }
  }

  #denied(error: unknown, right: string): Unreadable {
    if (!(error instanceof Problem) || error.code !== 'right-missing') throw error;
    return { why: `you lack the right to ${right} in namespace "${this.namespace}".`, denied: true };
  }
}

/** One name for each object. */
export function objectKey({ kind, name }: ObjectReference): string {
  return `${kind} ${name}`;
}

function tokenKey({ audience, expirationSeconds }: WantedToken): string {
  return `${expirationSeconds ?? ''} ${audience}`;
}

/** The API server understood and said no: the account or the pod is gone, an audience is not allowed. */
function isRefusal(error: unknown): error is Problem {
  return error instanceof Problem && (error.code === 'patch-refused' || error.code === 'target-missing');
}

function sentence(problem: Problem): string {
  return [problem.what, problem.why].filter(Boolean).join(' ');
}
