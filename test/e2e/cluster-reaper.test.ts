/** One reaper for the whole cluster, installed as docs/reaper.md says. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { agentImage, openWorld, type World } from '../stage/world.ts';
import {
  annotation,
  apply,
  connect,
  objectSchema,
  objectsOf,
  outlooks,
  patience,
  reaperDelay,
  vanish,
} from './vanishing.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld('e2e-cluster-reaper');
});
afterAll(() => world?.[Symbol.asyncDispose]());

it('the reaper of the whole cluster, with exactly its documented rights, brings the original back', async () => {
  const { kubectl } = world.shop;
  const objects = objectsOf('cluster');
  const installed = JSON.parse(
    JSON.stringify(objects)
      .replaceAll('registry.example.com/team/agent:1', agentImage)
      .replace('"--delay","300"', `"--delay","${reaperDelay}"`)
      .replace('"delay":"300"', `"delay":"${reaperDelay}"`),
  );
  const metadata = { name: 'all-limited', namespace: 'kubernetes-local' };
  const hard = { 'requests.cpu': '1', 'requests.memory': '1Gi', 'limits.cpu': '1', 'limits.memory': '1Gi' };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } };
  try {
    const [home, ...rest] = z.array(objectSchema).parse(installed);
    // Its namespace takes only pods of the level "restricted" that say what they need.
    await apply(world, [home ?? {}, quota, ...rest]);
    const rollout = ['rollout', 'status', 'deployment/kubernetes-local-reaper', '-n', 'kubernetes-local'];
    await kubectl.run([...rollout, '--timeout=90s']);
    const before = await world.snapshot();
    const command = await connect(world, ['--reaper', 'require']);
    expect(await outlooks(world)).toEqual([
      "If this computer vanishes: the original comes back after 30 s (the cluster's reaper).",
    ]);
    await vanish(world, command);
    await vi.waitFor(async () => expect(await annotation(world, 'kubernetes-local/session')).toBe(''), patience);
    await world.asBefore(before);
  } finally {
    for (const each of objects.toReversed()) {
      const place = typeof each.metadata.namespace === 'string' ? ['-n', each.metadata.namespace] : [];
      await kubectl.run(['delete', each.kind, each.metadata.name, ...place, '--ignore-not-found', '--wait=false']);
    }
  }
});
