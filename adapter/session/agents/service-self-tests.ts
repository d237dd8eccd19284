/** The self-tests of one session: every Service of the target is tried, and each result told. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ResolvedTarget } from '../../cluster/target.ts';
import type { Tunnels } from '../../tunnel/tunnels.ts';
import type { Notice } from '../protocol.ts';
import type { SelfTest } from './self-test.ts';
import { selfTestNotice, selfTestRoutes } from './self-test-report.ts';

/** kube-proxy programs a new endpoint within a second; longer than this is a fault worth a warning. */
const deadlineMilliseconds = 10_000;
/** How long "connected" waits for the self-test; it goes on behind it. */
const patienceMilliseconds = 1_500;

export interface ServiceSelfTestsOptions {
  readonly selfTest: SelfTest;
  readonly target: ResolvedTarget;
  readonly tunnels: Pick<Tunnels, 'dial'>;
  notice(notice: Notice): void;
}

/** Resolves when all results are told, or when that takes long. */
export async function testServices(
  { selfTest, target, tunnels, notice }: ServiceSelfTestsOptions,
  signal: AbortSignal,
): Promise<void> {
  const dial = (host: string, port: number) => tunnels.dial(host, port);
  const tests = selfTestRoutes(target).map(async (route) => {
    const result = await selfTest.run(route, dial, deadlineMilliseconds, signal);
    if (!signal.aborted) notice(selfTestNotice(result));
  });
  await Promise.race([Promise.all(tests), delay(patienceMilliseconds, undefined, { ref: false })]);
}
