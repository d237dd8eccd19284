/** What a valid KubernetesLocalProcessConfig.yaml says, and where in the file it says it. */
import type { Part } from './tokens.ts';

/** A place in the file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One variable of `env`. */
export interface ConfiguredVariable extends Position {
  readonly name: string;
  /** As it stands in the file. */
  readonly written: string;
  /** Each with the place of its first character. */
  readonly parts: readonly (Part & Position)[];
}

/** One entry of `volumeMounts`. */
interface ConfiguredVolume extends Position {
  /** The volume's name; may hold `*`. */
  readonly name: string;
  /** Absolute; where its files are to be on this computer. */
  readonly localPath?: string;
}

export const features = ['ManagedIdentity', 'Probes', 'LifecycleHooks'] as const;
export type Feature = (typeof features)[number];

/** A valid file. */
export interface ProcessConfig {
  readonly file: string;
  readonly volumeMounts: readonly ConfiguredVolume[];
  readonly env: readonly ConfiguredVariable[];
  readonly enableFeatures: readonly (Position & { readonly name: Feature })[];
}

/** Something wrong in the file. */
export interface Fault extends Position {
  readonly what: string;
  readonly remedy: string;
}
