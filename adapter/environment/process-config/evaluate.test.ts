import { describe, expect, test } from 'vitest';
import { type EvaluationContext, evaluateProcessConfig, findMount } from './evaluate.ts';
import { type ProcessConfig, parseProcessConfig } from './process-config.ts';

const file = '/work/cart/KubernetesLocalProcessConfig.yaml';
const service = (name: string, address: string, ports: readonly (readonly [number, number])[], ...names: string[]) => ({
  name,
  names: [name, ...names],
  address,
  ports: ports.map(([port, localPort]) => ({ port, localPort })),
});

/** Each Service at an address of its own, at its own ports. */
const hosts: EvaluationContext = {
  mode: 'hosts',
  services: [
    service('myapp1', '127.1.1.4', [[80, 80]], 'myapp1.shop', 'myapp1.shop.svc.cluster.local'),
    service('myapp2.mynamespace', '127.1.1.5', [
      [80, 80],
      [443, 443],
    ]),
    service('server-bridgetest123.database.windows.net', '127.1.1.6', [[1433, 1433]]),
    service('managedidentityforbridgetokubernetes', '127.1.1.7', [[80, 80]]),
  ],
  mounts: [
    { volume: 'data', mountPath: '/data', note: 'It holds 1 GB, the limit is 64Mi.' },
    { volume: 'default-token-1111', mountPath: '/token', localPath: '/run/k/token' },
    { volume: 'default-token-1234-5678-90abcdef', mountPath: '/other-token', localPath: '/run/k/other' },
    { volume: 'allow-list', mountPath: '/etc/allow', localPath: '/run/k/allow-list' },
    { volume: 'allow-list', mountPath: '/etc/allow-too', localPath: '/run/k/allow-list-too' },
  ],
  externalEndpoints: [{ host: 'server-bridgetest123.database.windows.net', port: 1433 }],
};
/** Everything at 127.0.0.1 and a port that was free. */
const env: EvaluationContext = {
  ...hosts,
  mode: 'env',
  services: hosts.services.map((each, index) => ({
    ...each,
    address: '127.0.0.1',
    ports: each.ports.map(({ port }) => ({ port, localPort: 55_049 + 1_000 * index + (port % 1_000) })),
  })),
};
/** The cluster's own addresses and paths. */
const namespace: EvaluationContext = {
  ...hosts,
  mode: 'namespace',
  services: hosts.services.map((each, index) => ({ ...each, address: `10.96.0.${index + 1}` })),
};

/** The mounts with the links that the session makes for this file. */
function linked(config: ProcessConfig, { mounts }: EvaluationContext): EvaluationContext['mounts'] {
  return config.volumeMounts.reduce((all, { name, localPath }) => {
    const mount = findMount(name, all);
    return all.map((each) => (each === mount && localPath !== undefined ? { ...each, link: localPath } : each));
  }, mounts);
}

function evaluate(text: string, context: EvaluationContext = hosts, canLink = true) {
  const config = parseProcessConfig(`version: 0.1\n${text}`, file);
  const mounts = canLink ? linked(config, context) : context.mounts;
  const { variables, problems } = evaluateProcessConfig(config, { ...context, mounts });
  return { values: Object.fromEntries(variables.map(({ name, value }) => [name, value])), problems, variables };
}

const valueWhere = (value: string, context: EvaluationContext) => {
  const { values, problems } = evaluate(`env:\n- { name: A, value: ${JSON.stringify(value)} }\n`, context);
  return values.A ?? problems[0];
};

describe('the examples of the documentation of Bridge to Kubernetes', () => {
  test('download a volume', () => {
    const text = 'env:\n  - name: ALLOW_LIST_PATH\n    value: $(volumeMounts:allow-list)/allow-list\n';
    expect(evaluate(text)).toMatchObject({ values: { ALLOW_LIST_PATH: '/run/k/allow-list/allow-list' }, problems: [] });
  });

  test('download a volume to a place of its own; of several the first', () => {
    const text = `volumeMounts:
  - name: default-token-*
    localPath: /var/run/secrets/kubernetes.io/serviceaccount
env:
  - name: KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE
    value: $(volumeMounts:default-token-*)
`;
    expect(evaluate(text)).toMatchObject({
      values: { KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE: '/var/run/secrets/kubernetes.io/serviceaccount' },
      problems: [],
    });
    expect(evaluate(text.replace(/volumeMounts:\n.*\n.*\n/, ''))).toMatchObject({
      values: { KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE: '/run/k/token' },
    });
  });

  test('make a Service available', () => {
    const text = 'env:\n  - name: MYAPP1_SERVICE_HOST\n    value: $(services:myapp1)/api/v1/\n';
    expect(evaluate(text)).toMatchObject({ values: { MYAPP1_SERVICE_HOST: '127.1.1.4/api/v1/' }, problems: [] });
  });

  test('make a Service of another namespace available', () => {
    const text = 'env:\n  - name: MYAPP2_SERVICE_HOST\n    value: $(services:myapp2.mynamespace)\n';
    expect(evaluate(text)).toMatchObject({ values: { MYAPP2_SERVICE_HOST: '127.1.1.5' }, problems: [] });
  });

  test('a constant value', () => {
    const text = 'env:\n  - name: DEBUG_MODE \n    value: "true"\n';
    expect(evaluate(text)).toMatchObject({ values: { DEBUG_MODE: 'true' }, problems: [] });
  });

  test('a dependency outside of the cluster, beneath an empty list of volumes', () => {
    const text =
      'volumeMounts:\nenv:\n  - name: DB_HOST\n    value: $(externalendpoints:server-bridgetest123.database.windows.net:1433)\n';
    const values = { DB_HOST: 'server-bridgetest123.database.windows.net' };
    expect(evaluate(text)).toMatchObject({ values, problems: [] });
    expect(evaluate(text, namespace)).toMatchObject({ values, problems: [] });
    expect(evaluate(text, env).values).toEqual({ DB_HOST: '127.0.0.1:57482' });
  });

  test('the complete example', () => {
    const text = `volumeMounts:
  - name: default-token-*
    localPath: /var/run/secrets/kubernetes.io/serviceaccount
env:
  - name: KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE
    value: $(volumeMounts:default-token-*)
  - name: ALLOW_LIST_PATH
    value: $(volumeMounts:allow-list)/allow-list
  - name: MYAPP1_SERVICE_HOST
    value: $(services:myapp1)/api/v1/
  - name: MYAPP2_SERVICE_HOST
    value: $(services:myapp2.mynamespace)
  - name: DEBUG_MODE 
    value: "true"
`;
    const { values, problems, variables } = evaluate(text);
    expect(problems).toEqual([]);
    expect(values).toEqual({
      KUBERNETES_IN_CLUSTER_CONFIG_OVERRIDE: '/var/run/secrets/kubernetes.io/serviceaccount',
      ALLOW_LIST_PATH: '/run/k/allow-list/allow-list',
      MYAPP1_SERVICE_HOST: '127.1.1.4/api/v1/',
      MYAPP2_SERVICE_HOST: '127.1.1.5',
      DEBUG_MODE: 'true',
    });
    expect(variables[0]).toMatchObject({ origin: 'KubernetesLocalProcessConfig.yaml, line 6', secret: false });
  });

  test('the managed identity', () => {
    const text = 'enableFeatures:\n  - ManagedIdentity\n';
    const values = (host: string) => ({
      MSI_ENDPOINT: `http://${host}/metadata/identity/oauth2/token`,
      MSI_SECRET: 'placeholder',
    });
    expect(evaluate(text)).toMatchObject({ values: values('managedidentityforbridgetokubernetes'), problems: [] });
    expect(evaluate(text, env)).toMatchObject({ values: values('127.0.0.1:58129'), problems: [] });
    expect(evaluate(text, { ...hosts, services: [] })).toMatchObject({
      values: {},
      problems: [
        'KubernetesLocalProcessConfig.yaml:3:5: ManagedIdentity: the session has no way to managedidentityforbridgetokubernetes.',
      ],
    });
  });
});

describe('Services', () => {
  test.each([
    ['$(services:myapp1)', '127.1.1.4', '10.96.0.1', '127.0.0.1'],
    ['$(services:MyApp1.shop)', '127.1.1.4', '10.96.0.1', '127.0.0.1'],
    ['$(SERVICES:myapp1:80)', '127.1.1.4', '10.96.0.1', '127.0.0.1:55129'],
    ['$(services:myapp2.mynamespace:443 80)', '127.1.1.5', '10.96.0.2', '127.0.0.1:56492'],
    ['$(services:myapp1):80', '127.1.1.4:80', '10.96.0.1:80', '127.0.0.1:55129'],
    ['http://$(services:myapp1)', 'http://127.1.1.4', 'http://10.96.0.1', 'http://127.0.0.1:55129'],
    [
      'https://me@$(services:myapp2.mynamespace)/x',
      'https://me@127.1.1.5/x',
      'https://me@10.96.0.2/x',
      'https://me@127.0.0.1:56492/x',
    ],
    [
      'a=$(services:myapp1:80);b=$(services:myapp1):80;$$(c)',
      'a=127.1.1.4;b=127.1.1.4:80;$(c)',
      'a=10.96.0.1;b=10.96.0.1:80;$(c)',
      'a=127.0.0.1:55129;b=127.0.0.1:55129;$(c)',
    ],
    ['host=$(services:myapp1) port=80', 'host=127.1.1.4 port=80', 'host=10.96.0.1 port=80', 'host=127.0.0.1 port=80'],
  ])('%s', (value, inHosts, inNamespace, inEnv) => {
    expect([hosts, namespace, env].map((context) => valueWhere(value, context))).toEqual([inHosts, inNamespace, inEnv]);
  });

  test('a Service whose port is another one here, in mode hosts too', () => {
    const moved = { ...hosts, services: [service('myapp1', '127.1.1.4', [[80, 8080]])] };
    expect(valueWhere('http://$(services:myapp1)/', moved)).toBe('http://127.1.1.4:8080/');
    expect(valueWhere('$(services:myapp1):80', moved)).toBe('127.1.1.4:8080');
    expect(valueWhere('$(services:myapp1)', moved)).toBe('127.1.1.4');
  });

  test.each([
    ['$(services:gone)', 'The session reaches no Service gone.'],
    ['x $(services:myapp2)', 'The session reaches no Service myapp2, but myapp2.mynamespace.'],
    ['$(services:myapp1:81)', 'Service myapp1 has no port 81; it has 80.'],
    ['$(services:myapp1):8080', 'Service myapp1 has no port 8080; it has 80.'],
    ['$(externalendpoints:db.example.net:1)', 'The session has no way to db.example.net:1.'],
    ['$(volumeMounts:gone-*)', 'The container mounts no volume gone-*; it mounts data, default-token-1111,'],
    ['$(volumeMounts:data)', 'Volume data is left out. It holds 1 GB, the limit is 64Mi.'],
  ])('%s leads nowhere', (value, why) => {
    const column = 22 + value.indexOf('$');
    expect(valueWhere(value, hosts)).toContain(
      `KubernetesLocalProcessConfig.yaml:3:${column}: A cannot be worked out. ${why}`,
    );
  });
});

describe('volumes', () => {
  test.each([
    ['$(volumeMounts:allow-list)', '/run/k/allow-list', '/etc/allow'],
    ['$(volumeMounts:ALLOW-*)', '/run/k/allow-list', '/etc/allow'],
    ['$(volumeMounts:/etc/allow-too)/x', '/run/k/allow-list-too/x', '/etc/allow-too/x'],
  ])('%s', (value, local, inNamespace) => {
    expect(valueWhere(value, hosts)).toBe(local);
    expect(valueWhere(value, env)).toBe(local);
    expect(valueWhere(value, namespace)).toBe(inNamespace);
  });

  test('clusters of today have no default-token volume, but one with the same files', () => {
    const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
    const today = { ...hosts, mounts: [{ volume: 'kube-api-access-x2x', mountPath, localPath: '/run/k/kube' }] };
    expect(valueWhere('$(volumeMounts:default-token-*)', today)).toBe('/run/k/kube');
    expect(valueWhere('$(volumeMounts:other-token-*)', today)).toContain('mounts no volume other-token-*');
  });

  test('a place of its own, whatever name the value uses', () => {
    const text =
      'volumeMounts:\n- {name: allow-*, localPath: lists}\nenv:\n- {name: A, value: $(volumeMounts:allow-list)}\n';
    expect(evaluate(text).values).toEqual({ A: '/work/cart/lists' });
    // Something else is at that place.
    expect(evaluate(text, hosts, false).values).toEqual({ A: '/run/k/allow-list' });
  });
});

test('of several entries with one name the last counts, also if it leads nowhere', () => {
  const two = (last: string) => `env:\n- {name: A, value: one}\n- {name: A, value: ${last}}\n`;
  expect(evaluate(two('two')).values).toEqual({ A: 'two' });
  const lost = evaluate(two('$(services:gone)'));
  expect([lost.values, lost.problems.length]).toEqual([{}, 1]);
});

test('what leads nowhere does not stop the rest', () => {
  const text =
    'env:\n- {name: A, value: $(services:gone)}\n- {name: B, value: $(services:gone2)}\n- {name: C, value: c}\n';
  const { values, problems } = evaluate(text);
  expect(values).toEqual({ C: 'c' });
  expect(problems).toHaveLength(2);
});
