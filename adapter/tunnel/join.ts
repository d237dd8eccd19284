/** The agent owns the joining of streams; both ends of the tunnel must agree on what an end and a reset are. */
export { join } from '../../agent/join.ts';
