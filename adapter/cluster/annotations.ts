/** The marks that a session leaves on objects in the cluster. */
import { createHash } from 'node:crypto';

/** On the workload and on the pod template: the session that replaced it. */
export const sessionAnnotation = 'kubernetes-local/session';
/** On the Lease: who holds it, for the eyes of colleagues. */
export const holderAnnotation = 'kubernetes-local/holder';
/** On the Lease: the workload that it is about, as `deployment/cart`. */
export const workloadAnnotation = 'kubernetes-local/workload';
/** On the Lease: who wants the workload in the holder's stead, as JSON. */
export const takeoverAnnotation = 'kubernetes-local/takeover';
/** On the Lease: who shares the session, as JSON. */
export const guestsAnnotation = 'kubernetes-local/guests';
/** On the Lease of a bare pod: the record, because between delete and create no pod carries it. */
export const recordAnnotation = 'kubernetes-local/record';
/** On the workload: who replaced it and how anybody undoes it, in plain words. */
export const helpAnnotation = 'kubernetes-local/help';
/** A label on all that belongs to a reaper: its name. */
export const reaperLabel = 'kubernetes-local/reaper';

const originalPrefix = 'kubernetes-local/original-';
/** Kubernetes allows this many characters after the slash. */
const longestName = 63;

/** On the workload: the record of what was replaced in this container. */
export function originalAnnotation(container: string): string {
  const name = `original-${container}`;
  if (name.length <= longestName) return originalPrefix + container;
  const digest = createHash('sha256').update(container).digest('hex').slice(0, 8);
  return `${originalPrefix}${container.slice(0, longestName - 'original-'.length - 9)}-${digest}`;
}

/** The records among an object's annotations. */
export function originalsOf(annotations: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(originalPrefix))
    .flatMap((key) => annotations[key] ?? []);
}
