import { describe, expect, it, vi } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../cluster/fake-api-server.ts';
import { podSchema } from '../cluster/objects.ts';
import { silentLog } from '../diagnostics/log.ts';
import type { Act } from './journal/journal.ts';
import { SessionReaper } from './session-reaper.ts';

const { signal } = new AbortController();
const pod = podSchema.parse({
  metadata: { name: 'cart-1', uid: 'p', resourceVersion: '1' },
  spec: { containers: [{ name: 'cart' }] },
});
const target = {
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u' },
  container: 'cart',
  pod,
  pods: [pod],
  containerPorts: [],
  services: [],
} as unknown as ConstructorParameters<typeof SessionReaper>[0]['target'];

/** What the API server says to the questions before anything is made. */
interface Answers {
  readonly allowed?: boolean;
  readonly marker?: object;
  readonly onPost?: (request: FakeRequest) => FakeAnswer | undefined;
  readonly available?: number;
}

function answers({ allowed = true, marker, onPost, available = 1 }: Answers) {
  return (request: FakeRequest): FakeAnswer => {
    const { method, path } = request;
    if (path.endsWith('/selfsubjectaccessreviews')) return { status: { allowed } };
    if (path.includes('/kube-public/')) return marker ?? 404;
    if (path.includes('/leases/')) {
      return { metadata: { name: 'l', uid: 'l', resourceVersion: '1' }, spec: { holderIdentity: 'a' } };
    }
    if (method === 'POST') return onPost?.(request) ?? {};
    if (path.includes('/deployments/')) return { status: { availableReplicas: available } };
    return { items: [] };
  };
}

async function reaperOn(given: Answers, reaper: 'auto' | 'require' | 'never' = 'auto') {
  const server = await FakeApiServer.start(answers(given));
  const journal: Act[] = [];
  const made = new SessionReaper({
    cluster: server.cluster(),
    session: 'a',
    target,
    request: { reaper, reaperDelay: 300, agentImage: 'agent:1' },
    journal: { append: (act) => void journal.push(act) },
    log: silentLog,
  });
  const posted = () =>
    server.requests.flatMap(({ method, path }) => (method === 'POST' && !path.includes('reviews') ? [path] : []));
  return {
    reaper: made,
    journal,
    posted,
    [Symbol.asyncDispose]: async () => {
      await made.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the reaper of a session', () => {
  it('is written down before it is made, and status says that the original comes back', async () => {
    await using scene = await reaperOn({
      onPost: () => {
        if (scene.journal.length === 0) throw new Error('made before it was written down');
        return undefined;
      },
    });
    expect(scene.reaper.outlook).toContain('until the reaper works: it is not made yet');
    scene.reaper.begin(Promise.resolve());
    await vi.waitFor(() => expect(scene.reaper.outlook).toContain('comes back after 5 min (reaper).'));
    expect(scene.journal).toEqual([{ act: 'reaper', name: 'kubernetes-local-reaper-deployment-cart' }]);
    expect(scene.posted()).toHaveLength(4);
  });

  it('waits for the agent of a Deployment, unless it is demanded', async () => {
    await using scene = await reaperOn({});
    const rolledOut = Promise.withResolvers<void>();
    scene.reaper.begin(rolledOut.promise);
    await scene.reaper.assertPossible();
    expect(scene.journal).toEqual([]);
    rolledOut.resolve();
    await vi.waitFor(() => expect(scene.posted()).toHaveLength(4));
    await using demanded = await reaperOn({}, 'require');
    demanded.reaper.begin(new Promise(() => {}));
    await demanded.reaper.working(signal);
    expect(demanded.posted()).toHaveLength(4);
  });

  it('is not made where the agent does not come up', async () => {
    await using scene = await reaperOn({});
    scene.reaper.begin(Promise.reject(new Error('rollout failed')));
    await vi.waitFor(() => expect(scene.reaper.outlook).toContain('There is no reaper'));
    expect(scene.journal).toEqual([]);
  });

  it('is not made where the user may not; a demanded one is an error', async () => {
    await using scene = await reaperOn({ allowed: false });
    scene.reaper.begin(Promise.resolve());
    await vi.waitFor(() =>
      expect(scene.reaper.outlook).toContain('There is no reaper: you may not create serviceaccounts'),
    );
    expect(scene.reaper.outlook).toContain('"kubernetes-local restore --namespace shop"');
    expect(scene.journal).toEqual([]);
    await scene.reaper.assertPossible();
    await using demanded = await reaperOn({ allowed: false }, 'require');
    await expect(demanded.reaper.assertPossible()).rejects.toMatchObject({ code: 'reaper-unavailable' });
  });

  it('is not needed where one serves the whole cluster', async () => {
    await using scene = await reaperOn({ allowed: false, marker: { data: { delay: '90' } } }, 'require');
    await scene.reaper.assertPossible();
    scene.reaper.begin(Promise.resolve());
    await scene.reaper.working(signal);
    expect(scene.reaper.outlook).toContain("comes back after 90 s (the cluster's reaper).");
    expect(scene.journal).toEqual([]);
  });

  it('is not wanted with "never"', async () => {
    await using scene = await reaperOn({}, 'never');
    scene.reaper.begin(Promise.resolve());
    await vi.waitFor(() => expect(scene.reaper.outlook).toContain('"reaper" is "never"'));
    expect(scene.journal).toEqual([]);
  });

  it('that RBAC does not let the user have is told, and a demanded one is an error', async () => {
    const refuse = ({ path }: FakeRequest) => (path.endsWith('/roles') ? 403 : undefined);
    await using scene = await reaperOn({ onPost: refuse });
    scene.reaper.begin(Promise.resolve());
    await vi.waitFor(() => expect(scene.reaper.outlook).toContain('There is no reaper: message 403'));
    await using demanded = await reaperOn({ onPost: refuse }, 'require');
    demanded.reaper.begin(Promise.resolve());
    await expect(demanded.reaper.working(signal)).rejects.toMatchObject({ code: 'reaper-unavailable' });
  });

  it('makes nothing more once it is stopped, and ends what it has begun', async () => {
    const first = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const hold = ({ path }: FakeRequest): FakeAnswer | undefined => {
      if (!path.endsWith('/serviceaccounts')) return undefined;
      first.resolve();
      return (response) => void answered.promise.then(() => response.end('{}'));
    };
    await using scene = await reaperOn({ onPost: hold });
    scene.reaper.begin(Promise.resolve());
    await first.promise;
    let stopped = false;
    const stop = scene.reaper.stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    answered.resolve();
    await stop;
    expect(scene.posted()).toHaveLength(1);
  });
});
