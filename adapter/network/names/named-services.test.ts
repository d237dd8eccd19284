import { expect, it } from 'vitest';
import { namedServices } from './named-services.ts';

it('takes TCP ports, each once, and tells of the others', () => {
  const port = (number: number, protocol = 'TCP') => ({ port: number, protocol });
  const { services, notes } = namedServices([
    { name: 'dns', namespace: 'shop', ports: [port(53, 'UDP'), port(53), port(53)] },
    { name: 'game', namespace: 'shop', ports: [port(7000, 'UDP')] },
    { name: 'external', namespace: 'shop', ports: [] },
  ]);
  expect(services).toEqual([{ name: 'dns', namespace: 'shop', ports: [53] }]);
  expect(notes).toEqual([
    'Port 53/UDP of Service dns is not reachable from here: only TCP is carried.',
    'Port 7000/UDP of Service game is not reachable from here: only TCP is carried.',
  ]);
});
