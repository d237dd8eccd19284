/** What a channel into a pod is opened with. */
import type { RequestOptions } from 'node:https';

export interface Opening {
  /** The API server's URL. */
  readonly server: string;
  /** Of the pod's `portforward`. */
  readonly path: string;
  readonly port: number;
  /** TLS, credentials, proxy. */
  readonly options: RequestOptions;
  /** Ends the opening only. */
  readonly signal: AbortSignal;
}

/** How long the API server may take to open one, in milliseconds. */
export const openingLimit = 10_000;
