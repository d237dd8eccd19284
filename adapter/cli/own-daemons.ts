/** The daemons of the sessions that this process begins. */
import { DaemonStart } from '../session/client/daemon-start.ts';
import { ownProgram } from './program.ts';

export const ownDaemons = new DaemonStart(ownProgram());
