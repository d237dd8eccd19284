import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { encodeHello, nonceLength } from '../../../agent/protocol.ts';
import { agentVersions } from '../../../agent/versions.ts';
import { silentLog } from '../../diagnostics/log.ts';
import { LoopbackForwarder, startServer } from '../../tunnel/test-bed.ts';
import { Tunnels } from '../../tunnel/tunnels.ts';
import { keepAgentTunnels } from './agent-tunnels.ts';
import { Outage } from './outage.ts';
import { Retries } from './retries.ts';

test('what answers in place of an agent is told, and gets no tunnel', async () => {
  const derOf = () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
  const [shown, logged] = [derOf(), derOf()];
  const impostor = await startServer((socket) => {
    socket.write(encodeHello({ versions: agentVersions, agentKey: shown, nonce: randomBytes(nonceLength) }));
    socket.resume().on('end', () => socket.end());
  });
  onTestFinished(() => impostor[Symbol.asyncDispose]());
  await using forwarder = new LoopbackForwarder(() => impostor.port);
  const whole = new AbortController();
  onTestFinished(() => whole.abort());
  const tunnels = new Tunnels();
  const { promise: told, resolve } = Promise.withResolvers<unknown>();
  const quiet = () => {};
  async function* pods() {
    yield ['cart-1'];
    await new Promise((done) => whole.signal.addEventListener('abort', done, { once: true }));
  }
  const kept = keepAgentTunnels(
    {
      pods: pods(),
      forwarder,
      tunnelPort: impostor.port,
      privateKey: generateKeyPairSync('ed25519').privateKey,
      session: 'test',
      agentKeys: { keyOf: async () => logged },
      keyPatience: 200,
      tunnels,
      onInbound: quiet,
      onTunnel: quiet,
      onPods: quiet,
      onUnproven: resolve,
      onBroken: quiet,
      lostConnections: { lost: quiet },
      outage: new Outage({ log: silentLog, notice: quiet, probe: quiet }),
      retries: new Retries(),
      log: silentLog,
    },
    whole.signal,
  );
  expect(await told).toMatchObject({ code: 'agent-unproven', what: expect.stringContaining('the pod cart-1') });
  expect(tunnels.size).toBe(0);
  whole.abort();
  await kept;
});
