/** What a starting daemon and its client say to each other. Apart, so that a client need not load what a daemon is made of. */
import type { ProblemData } from '../problem.ts';

/** The descriptor on which a starting daemon says that it is ready. */
export const announcementDescriptor = 3;

/** What a daemon says on it, once. `taken`: another daemon of the same session was quicker. */
export type Announcement = { kind: 'ready' } | { kind: 'taken' } | { kind: 'failed'; problem: ProblemData };
