/** What the volumes need of the cluster. A real one is in adapter/cluster/volume-sources.ts, one in memory in the tests. */
import type { Allocatable } from '../resources.ts';

/** A ConfigMap or Secret in the pod's namespace. */
export interface ObjectReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
}

/** Key → content. Of a ConfigMap both `data`, in UTF-8, and `binaryData`. */
export type ObjectData = ReadonlyMap<string, Uint8Array>;

/** What a token is asked for with. */
export interface TokenRequest {
  readonly serviceAccount: string;
  /** Empty: the API server's own. */
  readonly audience: string;
  /** The lifetime that is asked for; undefined: the API's default of an hour. */
  readonly expirationSeconds: number | undefined;
  /** The token ends with this pod. */
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface IssuedToken {
  readonly token: string;
  /** For how long it is good from now on, in milliseconds. */
  readonly lifetime: number;
}

export interface VolumeReader {
  /** The object's files; undefined if it does not exist. A missing right is thrown as Problem right-missing. */
  object(namespace: string, reference: ObjectReference, signal: AbortSignal): Promise<ObjectData | undefined>;
  /**
   * The object's files now and after each change; undefined while it does not exist. Where it may not be watched it is
   * read again from time to time. Ends by the signal (throws its reason) or a Problem that does not pass.
   */
  followObject(
    namespace: string,
    reference: ObjectReference,
    signal: AbortSignal,
  ): AsyncIterable<ObjectData | undefined>;
  /** The pod now and after each change, likewise. */
  followPod(namespace: string, name: string, signal: AbortSignal): AsyncIterable<unknown>;
  /** A new token. @throws Problem, right-missing among others. */
  token(namespace: string, request: TokenRequest, signal: AbortSignal): Promise<IssuedToken>;
  /** `status.allocatable` of a node; undefined if the user has no right to read nodes. */
  nodeAllocatable?(name: string, signal: AbortSignal): Promise<Allocatable | undefined>;
}
