import { expect, it } from 'vitest';
import { z } from 'zod';
import { FakeApiServer } from './fake-api-server.ts';
import { missingOptionalRights, optionalRights } from './rights.ts';

const reviewSchema = z.object({
  spec: z.object({
    resourceAttributes: z.object({ namespace: z.string(), verb: z.string(), group: z.string(), resource: z.string() }),
  }),
});

it('names take rights on Services and EndpointSlices, once for each namespace', () => {
  const rights = optionalRights(['shop', 'other', 'shop']);
  expect(rights.map(({ namespace, verb, resource }) => `${namespace}: ${verb} ${resource}`)).toEqual([
    'shop: watch services',
    'shop: list endpointslices',
    'shop: watch endpointslices',
    'other: list services',
    'other: watch services',
    'other: list endpointslices',
    'other: watch endpointslices',
  ]);
});

it('of those that are missing it says what follows', async () => {
  await using server = await FakeApiServer.start(({ body }) => {
    const { namespace, verb, group, resource } = reviewSchema.parse(body).spec.resourceAttributes;
    const refused = ['shop watch /services', 'other list discovery.k8s.io/endpointslices'];
    return { status: { allowed: !refused.includes(`${namespace} ${verb} ${group}/${resource}`) } };
  });
  const signal = new AbortController().signal;
  expect(await missingOptionalRights(server.cluster(), ['shop', 'other'], signal)).toEqual([
    'You may not watch services in namespace shop. Services that come or go during the session show here after up to 30 seconds.',
    'You may not list endpointslices in namespace other. Headless Services are called by their own names only, not by names of pods such as db-0.db.',
  ]);
});
