import { expect, test } from 'vitest';
import { podSchema } from '../../cluster/objects.ts';
import { udpNotes } from './port-mapping.ts';

function podWith(ports: readonly object[]) {
  const pod = podSchema.parse({
    metadata: { name: 'dns', uid: '1', namespace: 'shop', resourceVersion: '1' },
    spec: { containers: [{ name: 'dns', image: 'dns', ports }] },
    status: {},
  });
  return { pod, container: 'dns' };
}

test('UDP ports of the container are told, for what is sent there does not come here', () => {
  expect(udpNotes(podWith([{ containerPort: 80 }, { containerPort: 81, protocol: 'TCP' }]))).toEqual([]);
  const udp = [53, 8125].map((containerPort) => ({ containerPort, protocol: 'UDP' }));
  expect(udpNotes(podWith([{ containerPort: 53, protocol: 'TCP' }, ...udp]))).toEqual([
    'What is sent to UDP ports 53, 8125 of container dns does not reach your program: only TCP comes here.',
  ]);
});
