import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../session/protocol.ts';
import { withProgramVariables } from './program-variables.ts';

const variable = (name: string, value: string, secret = false) => ({ name, value, secret, origin: 'container' });
const connection: Connection = {
  kind: 'connected',
  session: 'session-1',
  workload: 'deployment/cart',
  container: 'cart',
  pods: ['cart-1'],
  network: { mode: 'hosts', reason: '' },
  environment: [variable('GREETING', 'from the pod'), variable('LEVEL', 'info'), variable('TOKEN', 'hunter22', true)],
  mounts: [],
  externalEndpoints: [],
  services: [],
  ports: [{ containerPort: 8080, localPort: 5000 }],
  log: '/log',
};
const choice = { environment: {}, onUnresolved: 'fail', processConfig: undefined, folder: '/' } as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-variables-'));
  writeFileSync(join(folder, '.env'), 'LEVEL=from the file\nFILE=1\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the variables of a program that VS Code starts', () => {
  it('are the cluster’s and ours, and those that are secret are told', () => {
    const { configuration, secrets, count } = withProgramVariables({ type: 'node' }, {}, connection, choice);
    expect(configuration).toEqual({
      type: 'node',
      env: {
        GREETING: 'from the pod',
        LEVEL: 'info',
        TOKEN: 'hunter22',
        KUBERNETES_LOCAL_SESSION: 'session-1',
        KUBERNETES_LOCAL_PORT_8080: '5000',
      },
    });
    expect(secrets).toEqual(['hunter22']);
    expect(count).toBe(5);
  });

  it('win over those that another extension took from this computer, and lose to those that the user wrote', () => {
    const { configuration } = withProgramVariables(
      { env: { GREETING: 'of this computer', PATH: '/bin', LEVEL: 'written' } },
      { env: { LEVEL: 'written' } },
      connection,
      choice,
    );
    expect(configuration.env).toMatchObject({ GREETING: 'from the pod', PATH: '/bin', LEVEL: 'written' });
  });

  it('lose to the user’s file, which is looked for in the working folder', () => {
    const { configuration } = withProgramVariables({ cwd: folder }, { envFile: '.env' }, connection, choice);
    expect(configuration.env).toMatchObject({ LEVEL: 'from the file', FILE: '1', GREETING: 'from the pod' });
  });

  it('are refused with a problem if that file is not there', () => {
    expect(() => withProgramVariables({ cwd: folder }, { envFile: 'none' }, connection, choice)).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
  });
});
