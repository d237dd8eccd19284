import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { ServiceEndpoint } from '../../../adapter/cluster/endpoints.ts';
import { serviceSchema } from '../../../adapter/cluster/objects.ts';
import { type VisibleService, visibleServices } from '../../../adapter/cluster/services.ts';
import { type Destination, destinationsOf } from '../../../adapter/network/names/destinations.ts';
import { destinationVariables } from '../../../adapter/network/names/env-variables.ts';
import { expectations, namesManifests, variableExpectations } from './names.ts';

const place = { session: 'names', other: 'names-other' };
const documentSchema = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

/** The Services of a manifest, as the API server would give them. */
function servicesOf(manifest: string, namespace: string): readonly VisibleService[] {
  const documents = parseAllDocuments(manifest).map((document) => documentSchema.parse(document.toJS()));
  return visibleServices(
    documents
      .filter(({ kind }) => kind === 'Service')
      .map(({ metadata, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, namespace, uid: '0', resourceVersion: '0' },
      }))
      .map((service) => serviceSchema.parse(service))
      .map(({ spec, ...rest }) => ({ ...rest, spec: { ...spec, clusterIP: spec.clusterIP || '10.0.0.1' } })),
  ).map((service) => (service.type === 'ExternalName' ? { ...service, clusterIP: undefined } : service));
}

function endpointsOf(service: VisibleService): readonly ServiceEndpoint[] {
  const pod = (name: string, hostname?: string) => ({
    address: name,
    pod: name,
    hostname,
    ready: true,
    ports: service.ports,
  });
  if (service.name === 'db') return [pod('db-0', 'db-0'), pod('db-1', 'db-1')];
  return service.name === 'catalogue-pods' ? [pod('catalogue-x')] : [];
}

async function destinations(withOther: boolean): Promise<readonly Destination[]> {
  const { session, other } = await namesManifests(place);
  const services = [...servicesOf(session, place.session), ...(withOther ? servicesOf(other, place.other) : [])].map(
    (service) => ({ ...service, endpoints: endpointsOf(service) }),
  );
  const namespaces = withOther ? [place.session, place.other] : [place.session];
  const found = destinationsOf({ services, namespaces }, place.session);
  expect(found.notes).toEqual([]);
  return found.destinations;
}

const offered = (all: readonly Destination[]) =>
  new Set(all.flatMap(({ hostNames, ports }) => hostNames.flatMap((host) => ports.map((port) => `${host}:${port}`))));

describe.each([true, false])('with the names of the other namespace: %s', (withOther) => {
  it('the expectations are all names and ports of the manifests', async () => {
    const expected = expectations(place)
      .filter(({ needsOther }) => withOther || !needsOther)
      .map(({ host, port }) => `${host}:${port}`);
    expect(new Set(expected).size).toBe(expected.length);
    const others = [...offered(await destinations(withOther))].filter((name) => !name.startsWith('workbench'));
    expect(new Set(expected)).toEqual(new Set(others));
  });

  it('there is a variable for each of them', async () => {
    const reachable = (await destinations(withOther)).map((destination) => ({
      destination,
      ports: destination.ports.map((port) => ({ port, localPort: port })),
    }));
    const variables = new Set(destinationVariables(reachable).map(({ name }) => name));
    for (const { variable, port, needsOther } of variableExpectations(place)) {
      if (needsOther && !withOther) continue;
      expect(variables).toContain(`${variable}_SERVICE_HOST`);
      expect(variables).toContain(`${variable}_PORT_${port}_TCP_PORT`);
    }
  });
});

it('the shortest name of each port has a variable', () => {
  expect(variableExpectations(place).map(({ variable, port }) => `${variable} ${port}`)).toEqual([
    'PRICES 80',
    'CATALOGUE 80',
    'CATALOGUE 9090',
    'CATALOGUE_PODS 8080',
    'DB 5432',
    'DB_0_DB 5432',
    'DB_1_DB 5432',
    'GOODS 80',
    'GOODS 9090',
    'FAR_PRICES 80',
    'PRICES_NAMES_OTHER 80',
  ]);
});

it('the names of both namespaces are in the manifests', async () => {
  const { session } = await namesManifests({ session: 'one', other: 'two' });
  expect(session).toContain('externalName: catalogue.one.svc.cluster.local');
  expect(session).toContain('externalName: prices.two.svc.cluster.local');
  expect(session).not.toContain('__');
});
