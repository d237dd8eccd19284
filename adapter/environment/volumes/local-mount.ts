/** A mount of the container as it is on this computer: what the volumes' makers hand to the session. */
import type { VolumeKind } from './plan.ts';

export interface LocalMount {
  /** The path in the container, absolute and without a slash at its end. */
  readonly mountPath: string;
  readonly volume: string;
  readonly kind: VolumeKind;
  /** Absolute path of the folder or file on this computer; undefined: left out. */
  readonly localPath: string | undefined;
  readonly readOnly: boolean;
  /** Why it is left out, or not complete. */
  readonly note?: string;
}
