import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseProcessConfig } from '../../environment/process-config/process-config.ts';
import {
  type EnvironmentChoice,
  type EnvironmentSource,
  programEnvironment,
  programVariables,
} from './program-environment.ts';

const variable = (name: string, value: string, origin = 'container cart', secret = false) => ({
  name,
  value,
  origin,
  secret,
});
const source: EnvironmentSource = {
  session: 'abc',
  environment: [
    variable('GREETING', 'hello', 'ConfigMap settings, key GREETING'),
    variable('PASSWORD', 'p4ss', 'Secret keys, key password', true),
    variable('PATH', '/in/the/pod'),
    variable('OTEL_A', '1'),
    variable('LIST', 'from the pod'),
    variable('KUBERNETES_LOCAL_SESSION', 'fake'),
  ],
  network: { mode: 'hosts', reason: '' },
  services: [
    {
      name: 'prices',
      names: ['prices'],
      address: '127.1.1.1',
      ports: [{ port: 80, localPort: 80 }],
      leadsTo: '10.96.0.1',
    },
  ],
  mounts: [{ mountPath: '/etc/lists', volume: 'lists', kind: 'configMap', localPath: '/run/k/lists', readOnly: true }],
  mountsFolder: '/run/k/mounts',
  externalEndpoints: [],
  ports: [{ containerPort: 8080, localPort: 5000 }],
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'program-environment-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const choice = (
  environment: EnvironmentChoice['environment'],
  more: Partial<EnvironmentChoice> = {},
): EnvironmentChoice => ({ environment, onUnresolved: 'fail', processConfig: undefined, folder, ...more });
const config = (text: string) =>
  parseProcessConfig(`version: 0.1\nenv:\n${text}`, join(folder, 'KubernetesLocalProcessConfig.yaml'));
const valuesOf = (chosen: EnvironmentChoice, from: EnvironmentSource = source) =>
  Object.fromEntries(programVariables(from, chosen).variables.map(({ name, value }) => [name, value]));

const own = {
  KUBERNETES_LOCAL_SESSION: 'abc',
  KUBERNETES_LOCAL_PORT_8080: '5000',
  KUBERNETES_LOCAL_MOUNTS: '/run/k/mounts',
};

test('without a choice: the pod’s, but for what is the computer’s own, and ours over all', () => {
  const pod = { GREETING: 'hello', PASSWORD: 'p4ss', OTEL_A: '1', LIST: 'from the pod' };
  expect(valuesOf(choice({}))).toEqual({ ...pod, ...own });
  expect(programVariables(source, choice({})).kept).toEqual(['PATH']);
});

test('without a session or a folder of mounts there are no variables for them', () => {
  const { mountsFolder: _, ...rest } = source;
  const values = valuesOf(choice({ include: [] }), { ...rest, session: undefined, ports: [] });
  expect(values).toEqual({});
});

test('each step wins over the ones before it', () => {
  writeFileSync(join(folder, '.env'), 'B=file\nC=file\nD=file\nPATH=/by/file\n');
  writeFileSync(join(folder, 'more.env'), 'C=more\n');
  const from = { ...source, environment: ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => variable(name, 'pod')) };
  const chosen = choice(
    {
      exclude: ['E'],
      envFile: ['.env', 'more.env'],
      override: { D: 'override', F: null, KUBERNETES_LOCAL_SESSION: 'mine' },
    },
    { processConfig: config('- {name: A, value: config}\n- {name: B, value: config}\n') },
  );
  expect(valuesOf(chosen, from)).toEqual({
    A: 'config',
    B: 'file',
    C: 'more',
    D: 'override',
    PATH: '/by/file',
    ...own,
  });
});

test('every variable has its origin, and what comes from a Secret or a file is secret', () => {
  writeFileSync(join(folder, '.env'), 'TOKEN=t0ken\n');
  const chosen = choice(
    { include: ['PASSWORD', 'GREETING'], envFile: '.env', override: { LEVEL: 'debug' } },
    { processConfig: config('- {name: LIST, value: $(volumeMounts:lists)/x}\n') },
  );
  expect(programVariables(source, chosen).variables).toEqual([
    variable('GREETING', 'hello', 'ConfigMap settings, key GREETING'),
    variable('PASSWORD', 'p4ss', 'Secret keys, key password', true),
    variable('LIST', '/run/k/lists/x', 'KubernetesLocalProcessConfig.yaml, line 3'),
    variable('TOKEN', 't0ken', 'envFile .env', true),
    variable('LEVEL', 'debug', 'override'),
    variable('KUBERNETES_LOCAL_SESSION', 'abc', 'kubernetes-local'),
    variable('KUBERNETES_LOCAL_PORT_8080', '5000', 'kubernetes-local'),
    variable('KUBERNETES_LOCAL_MOUNTS', '/run/k/mounts', 'kubernetes-local'),
  ]);
});

test('what the user sets is not kept from the program, whatever it is', () => {
  const { variables, kept } = programVariables(source, choice({ include: ['PATH'], override: { PATH: '/mine' } }));
  expect(variables[0]).toEqual(variable('PATH', '/mine', 'override'));
  expect(kept).toEqual([]);
});

describe('a process configuration that leads nowhere', () => {
  const processConfig = config(
    '- {name: LIST, value: $(services:gone)}\n- {name: URL, value: http://$(services:prices)/}\n',
  );

  test('ends the launch', () => {
    expect(() => programVariables(source, choice({}, { processConfig }))).toThrow(
      expect.objectContaining({
        code: 'environment-unresolved',
        what: 'KubernetesLocalProcessConfig.yaml:3:23: LIST cannot be worked out. The session reaches no Service gone.',
      }),
    );
  });

  test('or is told and left out, and the pod’s value is the one that stays', () => {
    const notes: string[] = [];
    const values = programEnvironment(
      source,
      choice({ include: ['LIST'] }, { processConfig, onUnresolved: 'leave-out' }),
      (text) => notes.push(text),
    );
    expect(values).toEqual({ LIST: 'from the pod', URL: 'http://127.1.1.1/', ...own });
    expect(notes).toEqual([
      'KubernetesLocalProcessConfig.yaml:3:23: LIST cannot be worked out. The session reaches no Service gone. This entry is left out.',
    ]);
  });
});
