/** How a reaper calls itself in the Lease that it has taken from a dead session. */
const prefix = 'reaper-of-';

/** The holder of the Lease while the session is being undone in the cluster. */
export function reaperOf(session: string): string {
  return isReaper(session) ? session : prefix + session;
}

export function isReaper(holder: string): boolean {
  return holder.startsWith(prefix);
}
