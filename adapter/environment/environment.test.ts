import { describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { type EnvironmentReader, resolveEnvironment, type ServiceAddress } from './environment.ts';

const signal = new AbortController().signal;
const master: ServiceAddress = {
  name: 'kubernetes',
  namespace: 'default',
  clusterIP: '1.2.3.1',
  ports: [{ name: '', port: 443, protocol: 'TCP' }],
};
const prices: ServiceAddress = {
  name: 'prices',
  namespace: 'shop',
  clusterIP: '1.2.3.3',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
};

const bytes = (text: string) => new TextEncoder().encode(text);

/** A cluster in memory that counts its reads. */
class Reader implements EnvironmentReader {
  readonly reads: string[] = [];
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly secrets: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>;
  allocatable: Readonly<Record<string, string>> | undefined;

  constructor(
    configMaps: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
    secrets: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {},
  ) {
    this.configMaps = configMaps;
    this.secrets = secrets;
  }

  async configMap(namespace: string, name: string) {
    this.reads.push(`configmap ${namespace}/${name}`);
    return this.configMaps[name];
  }

  async secret(namespace: string, name: string) {
    this.reads.push(`secret ${namespace}/${name}`);
    return this.secrets[name];
  }

  async nodeAllocatable(name: string) {
    this.reads.push(`node ${name}`);
    return this.allocatable;
  }
}

interface Options {
  readonly reader?: EnvironmentReader;
  readonly services?: readonly ServiceAddress[];
  readonly onUnresolved?: 'fail' | 'leave-out';
  readonly links?: boolean | null;
  readonly container?: string;
  readonly spec?: object;
}

/** Resolves the environment of a container with this `env` and `envFrom`. */
async function resolve(container: object, options: Options = {}) {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'cart-7d9f-x2x',
      namespace: 'shop',
      uid: 'c0ffee',
      labels: { app: 'cart', 'app.kubernetes.io/name': 'cart' },
      annotations: { 'example.com/note': 'two\nlines' },
      creationTimestamp: '2024-01-01T00:00:00Z',
    },
    spec: {
      nodeName: 'node-1',
      serviceAccountName: 'cart-account',
      enableServiceLinks: options.links ?? false,
      containers: [
        { name: 'other', image: 'other', resources: { limits: { cpu: '2' }, requests: { memory: '64Mi' } } },
        { name: 'cart', image: 'cart', ...container },
      ],
      ...options.spec,
    },
    status: {
      phase: 'Running',
      hostIP: '10.0.0.1',
      hostIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      podIP: '10.1.0.7',
      podIPs: [{ ip: '10.1.0.7' }, { ip: 'fd01::7' }],
    },
  };
  return await resolveEnvironment(
    {
      pod,
      container: options.container ?? 'cart',
      namespace: 'shop',
      services: options.services ?? [],
      reader: options.reader ?? new Reader(),
      onUnresolved: options.onUnresolved ?? 'fail',
    },
    signal,
  );
}

async function valuesOf(container: object, options?: Options): Promise<Record<string, string>> {
  const { variables } = await resolve(container, options);
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

async function problemOf(container: object, options?: Options): Promise<Problem> {
  try {
    await resolve(container, options);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('no problem was thrown');
}

describe('values written in the pod', () => {
  test('refer to earlier variables only', async () => {
    expect(
      await valuesOf({
        env: [
          { name: 'TEST_LITERAL', value: 'test-test-test' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
          { name: 'OUT_OF_ORDER_TEST', value: '$(OUT_OF_ORDER_TARGET)' },
          { name: 'OUT_OF_ORDER_TARGET', value: 'FOO' },
          { name: 'EMPTY_VAR' },
          { name: 'EMPTY_TEST', value: 'foo-$(EMPTY_VAR)' },
          { name: 'POD_NAME_TEST2', value: 'test2-$(POD_NAME)' },
          { name: 'POD_NAME_TEST3', value: '$(POD_NAME_TEST2)-3' },
          { name: 'TEST_UNDEFINED', value: '$(UNDEFINED_VAR)' },
          { name: 'SELF', value: '$(SELF):more' },
        ],
      }),
    ).toEqual({
      TEST_LITERAL: 'test-test-test',
      POD_NAME: 'cart-7d9f-x2x',
      OUT_OF_ORDER_TEST: '$(OUT_OF_ORDER_TARGET)',
      OUT_OF_ORDER_TARGET: 'FOO',
      EMPTY_VAR: '',
      EMPTY_TEST: 'foo-',
      POD_NAME_TEST2: 'test2-cart-7d9f-x2x',
      POD_NAME_TEST3: 'test2-cart-7d9f-x2x-3',
      TEST_UNDEFINED: '$(UNDEFINED_VAR)',
      SELF: '$(SELF):more',
    });
  });

  test('a name given twice: the later one, which may refer to the earlier one', async () => {
    const env = [
      { name: 'OPTIONS', value: '-a' },
      { name: 'OPTIONS', value: '$(OPTIONS) -b' },
    ];
    expect(await valuesOf({ env })).toEqual({ OPTIONS: '-a -b' });
  });

  test('several lines, equals signs, spaces and Unicode stay', async () => {
    const value = 'first=1\nsecond = "zwei"\n\n  grün \t🚲\n';
    expect(await valuesOf({ env: [{ name: 'TEXT', value }] })).toEqual({ TEXT: value });
  });

  test('null for what is empty', async () => {
    expect(await valuesOf({ env: null, envFrom: null, resources: null })).toEqual({});
  });
});

describe('Services', () => {
  test('are linked by default, and references reach them', async () => {
    const environment = await valuesOf(
      { env: [{ name: 'URL', value: 'http://$(PRICES_SERVICE_HOST):$(PRICES_SERVICE_PORT_HTTP)/' }] },
      { services: [master, prices], links: true },
    );
    expect(environment).toMatchObject({
      URL: 'http://1.2.3.3:80/',
      PRICES_SERVICE_HOST: '1.2.3.3',
      KUBERNETES_SERVICE_HOST: '1.2.3.1',
      KUBERNETES_PORT_443_TCP_ADDR: '1.2.3.1',
    });
  });

  test('a pod that does not say has links', async () => {
    expect(await valuesOf({}, { services: [prices], spec: { enableServiceLinks: undefined } })).toHaveProperty(
      'PRICES_SERVICE_HOST',
    );
  });

  test('are not linked where the pod says so, but kubernetes is', async () => {
    const names = Object.keys(await valuesOf({}, { services: [master, prices], links: false }));
    expect(names).toContain('KUBERNETES_SERVICE_PORT');
    expect(names.filter((name) => name.startsWith('PRICES_'))).toEqual([]);
  });

  test('envFrom and env win over them, also for references', async () => {
    const environment = await valuesOf(
      {
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [
          { name: 'URL', value: 'http://$(PRICES_SERVICE_HOST)/' },
          { name: 'PRICES_SERVICE_PORT', value: '8080' },
        ],
      },
      {
        services: [prices],
        links: true,
        reader: new Reader({ settings: { PRICES_SERVICE_HOST: 'prices.example.com' } }),
      },
    );
    expect(environment).toMatchObject({
      URL: 'http://prices.example.com/',
      PRICES_SERVICE_HOST: 'prices.example.com',
      PRICES_SERVICE_PORT: '8080',
      PRICES_PORT_80_TCP_ADDR: '1.2.3.3',
    });
  });
});

describe('ConfigMaps and Secrets', () => {
  const reader = () =>
    new Reader(
      { settings: { REPLACE_ME: 'FROM_CONFIG_MAP', DUPLICATE: 'CONFIG_MAP', EMPTY: '' }, digits: { '1234': 'abc' } },
      { keys: { DUPLICATE: bytes('SECRET'), 'tls.key': bytes('one\ntwo=2\n') } },
    );

  test('envFrom: with and without a prefix, and env over it', async () => {
    expect(
      await valuesOf(
        {
          envFrom: [
            { configMapRef: { name: 'settings' } },
            { prefix: 'p_', configMapRef: { name: 'settings' } },
            { prefix: '9', configMapRef: { name: 'digits' } },
          ],
          env: [
            { name: 'EXPANSION', value: '$(REPLACE_ME)' },
            { name: 'DUPLICATE', value: 'ENV' },
          ],
        },
        { reader: reader() },
      ),
    ).toEqual({
      REPLACE_ME: 'FROM_CONFIG_MAP',
      DUPLICATE: 'ENV',
      EMPTY: '',
      p_REPLACE_ME: 'FROM_CONFIG_MAP',
      p_DUPLICATE: 'CONFIG_MAP',
      p_EMPTY: '',
      '91234': 'abc',
      EXPANSION: 'FROM_CONFIG_MAP',
    });
  });

  test('the later envFrom wins', async () => {
    const envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }];
    expect(await valuesOf({ envFrom }, { reader: reader() })).toMatchObject({ DUPLICATE: 'SECRET' });
    expect(await valuesOf({ envFrom: envFrom.toReversed() }, { reader: reader() })).toMatchObject({
      DUPLICATE: 'CONFIG_MAP',
    });
  });

  test('values of a ConfigMap are not expanded', async () => {
    const from = new Reader({ settings: { A: '$(B)', C: '$$' } });
    const environment = await valuesOf(
      {
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [{ name: 'D', valueFrom: { configMapKeyRef: { name: 'settings', key: 'A' } } }],
      },
      { reader: from },
    );
    expect(environment).toEqual({ A: '$(B)', C: '$$', D: '$(B)' });
  });

  test('origin and secrecy are told, also of what refers to a secret', async () => {
    const { variables } = await resolve(
      {
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'tls.key' } } },
          { name: 'COPY', value: 'key: $(KEY)' },
          { name: 'COPY_OF_COPY', value: '$(COPY)' },
          { name: 'PLAIN', value: '$(EMPTY)' },
        ],
      },
      { reader: reader(), services: [prices], links: true },
    );
    const told = new Map(variables.map(({ name, origin, secret }) => [name, { origin, secret }]));
    expect(told.get('REPLACE_ME')).toEqual({ origin: 'ConfigMap settings, key REPLACE_ME', secret: false });
    expect(told.get('KEY')).toEqual({ origin: 'Secret keys, key tls.key', secret: true });
    expect(told.get('COPY')).toEqual({ origin: 'container cart', secret: true });
    expect(told.get('COPY_OF_COPY')?.secret).toBe(true);
    expect(told.get('PLAIN')?.secret).toBe(false);
    expect(told.get('PRICES_PORT')).toEqual({ origin: 'Service prices', secret: false });
    expect(variables.find(({ name }) => name === 'KEY')?.value).toBe('one\ntwo=2\n');
  });

  test('each object is read once, all at the same time', async () => {
    const started: string[] = [];
    const all = Promise.withResolvers<void>();
    const wait = async (what: string) => {
      started.push(what);
      if (started.length === 3) all.resolve();
      await all.promise;
    };
    await resolve(
      {
        envFrom: [
          { configMapRef: { name: 'settings' } },
          { configMapRef: { name: 'digits' } },
          { secretRef: { name: 'keys' } },
        ],
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'EMPTY' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'DUPLICATE' } } },
        ],
      },
      {
        reader: {
          configMap: async (namespace, name) => {
            await wait(`${namespace}/${name}`);
            return { EMPTY: '' };
          },
          secret: async (namespace, name) => {
            await wait(`${namespace}/${name}`);
            return { DUPLICATE: bytes('x') };
          },
        },
      },
    );
    expect(started.toSorted()).toEqual(['shop/digits', 'shop/keys', 'shop/settings']);
  });

  test('what is optional and missing is left out without a word', async () => {
    const resolved = await resolve(
      {
        envFrom: [{ configMapRef: { name: 'gone', optional: true } }, { secretRef: { name: 'gone', optional: true } }],
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'a', optional: true } } },
          { name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'gone', optional: true } } },
          { name: 'C', valueFrom: { secretKeyRef: { name: 'gone', key: 'c', optional: true } } },
          { name: 'D', valueFrom: { secretKeyRef: { name: 'keys', key: 'gone', optional: true } } },
          { name: 'E', value: '$(A)' },
        ],
      },
      { reader: reader() },
    );
    expect(resolved.variables.map(({ name, value }) => [name, value])).toEqual([['E', '$(A)']]);
    expect(resolved.notes).toEqual([]);
  });

  test('an optional key that is missing leaves the value from envFrom', async () => {
    const from = new Reader({ settings: { A: 'from envFrom' }, other: {} });
    const environment = await valuesOf(
      {
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'other', key: 'a', optional: true } } }],
      },
      { reader: from },
    );
    expect(environment).toEqual({ A: 'from envFrom' });
  });

  test.each([
    [{ envFrom: [{ configMapRef: { name: 'gone' } }] }, ['ConfigMap gone', 'does not exist']],
    [{ envFrom: [{ secretRef: { name: 'gone' } }] }, ['Secret gone', 'does not exist']],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'k' } } }] },
      ['A comes from key k of ConfigMap gone', 'does not exist'],
    ],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'toString' } } }] },
      ['A comes from key toString of ConfigMap settings', 'no such key'],
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }] },
      ['A comes from key k of Secret keys', 'no such key'],
    ],
  ])('what is required and missing is named: %j', async (container, words) => {
    const problem = await problemOf(container, { reader: reader() });
    expect(problem.code).toBe('environment-unresolved');
    for (const word of words) expect(problem.what).toContain(word);
    expect(problem.message).not.toContain('SECRET');
  });

  test('all that is missing is told at once', async () => {
    const problem = await problemOf({
      envFrom: [{ configMapRef: { name: 'first' } }],
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'second', key: 'k' } } }],
    });
    expect(problem.what).toContain('ConfigMap first');
    expect(problem.why).toContain('key k of Secret second');
  });

  test('what is missing or may not be read is left out where the user says so', async () => {
    const refusal = new Problem({ code: 'right-missing', what: 'You may not get secrets.', why: '', remedy: '' });
    const { variables, notes } = await resolve(
      {
        envFrom: [{ secretRef: { name: 'keys' } }, { configMapRef: { name: 'gone' } }],
        env: [
          { name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } },
          { name: 'B', value: 'b$(A)' },
        ],
      },
      {
        reader: { configMap: async () => undefined, secret: () => Promise.reject(refusal) },
        onUnresolved: 'leave-out',
      },
    );
    expect(variables.map(({ name, value }) => [name, value])).toEqual([['B', 'b$(A)']]);
    expect(notes).toEqual([
      'You may not get secrets.',
      'Variables are taken from Secret keys, which you may not read. It is left out.',
      'Variables are taken from ConfigMap gone, which does not exist. It is left out.',
      'A comes from key k of Secret keys, which you may not read. It is left out.',
    ]);
  });

  test('another failure is passed on also then', async () => {
    const away = new Problem({ code: 'cluster-unreachable', what: 'No.', why: '', remedy: '' });
    const reader = { configMap: async () => undefined, secret: () => Promise.reject(away) };
    await expect(
      resolve({ envFrom: [{ secretRef: { name: 'keys' } }] }, { reader, onUnresolved: 'leave-out' }),
    ).rejects.toBe(away);
  });

  test('a failing read is passed on', async () => {
    const refusal = new Problem({ code: 'right-missing', what: 'No.', why: '', remedy: '' });
    const problem = await problemOf(
      { envFrom: [{ secretRef: { name: 'keys' } }] },
      { reader: { configMap: async () => undefined, secret: () => Promise.reject(refusal) } },
    );
    expect(problem).toBe(refusal);
  });

  test('a value of bytes that are no text is left out with a note that does not hold it', async () => {
    const from = new Reader(
      {},
      { keys: { BINARY: Uint8Array.of(0xff, 0xfe, 0x41), ZERO: bytes('a\0b'), TEXT: bytes('\ufeffgrün') } },
    );
    const { variables, notes } = await resolve({ envFrom: [{ secretRef: { name: 'keys' } }] }, { reader: from });
    expect(variables.map(({ name, value }) => [name, value])).toEqual([['TEXT', '\ufeffgrün']]);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('BINARY is left out (Secret keys, key BINARY)');
    expect(notes[1]).toContain('ZERO is left out');
    expect(notes.join()).not.toContain('a\0b');
  });

  test('a prefix that makes no name', async () => {
    const { variables, notes } = await resolve(
      { envFrom: [{ prefix: 'a=', configMapRef: { name: 'digits' } }] },
      { reader: reader() },
    );
    expect(variables).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('"a=1234" is left out')]);
  });
});

describe('fields of the pod', () => {
  test.each([
    ['metadata.name', 'cart-7d9f-x2x'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'c0ffee'],
    ["metadata.labels['app']", 'cart'],
    ["metadata.labels['app.kubernetes.io/name']", 'cart'],
    ["metadata.labels['none']", ''],
    ["metadata.labels['toString']", ''],
    ["metadata.annotations['example.com/note']", 'two\nlines'],
    ['spec.nodeName', 'node-1'],
    ['spec.serviceAccountName', 'cart-account'],
    ['status.hostIP', '10.0.0.1'],
    ['status.hostIPs', '10.0.0.1,fd00::1'],
    ['status.podIP', '10.1.0.7'],
    ['status.podIPs', '10.1.0.7,fd01::7'],
  ])('%s', async (fieldPath, expected) => {
    const { variables } = await resolve({ env: [{ name: 'FIELD', valueFrom: { fieldRef: { fieldPath } } }] });
    expect(variables).toEqual([{ name: 'FIELD', value: expected, origin: `pod field ${fieldPath}`, secret: false }]);
  });

  test('an unknown field', async () => {
    const problem = await problemOf({ env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'spec.hostname' } } }] });
    expect(problem.what).toContain("X comes from the pod's field spec.hostname");
  });
});

describe('resources', () => {
  const reference = (resource: string, divisor?: string, containerName?: string) => ({
    env: [{ name: 'R', valueFrom: { resourceFieldRef: { resource, divisor, containerName } } }],
  });
  const withResources = (resources: object, resource: string, divisor?: string) => ({
    ...reference(resource, divisor),
    resources,
  });

  test.each([
    [{ limits: { cpu: '9' } }, 'limits.cpu', undefined, '9'],
    [{}, 'requests.cpu', '0', '0'],
    [{ requests: { cpu: 8 } }, 'requests.cpu', undefined, '8'],
    [{ requests: { cpu: '100m' } }, 'requests.cpu', undefined, '1'],
    [{ requests: { cpu: '1200m' } }, 'requests.cpu', '100m', '12'],
    [{ requests: { cpu: '1250m' } }, 'requests.cpu', '1m', '1250'],
    [{ requests: { memory: '100Mi' } }, 'requests.memory', '0', '104857600'],
    [{ requests: { memory: '100Mi' }, limits: { memory: '1Gi' } }, 'requests.memory', '1Mi', '100'],
    [{ requests: { memory: '10Mi' }, limits: { memory: '100Mi' } }, 'limits.memory', undefined, '104857600'],
    [{ limits: { memory: '100M' } }, 'limits.memory', '1Mi', '96'],
    [{ limits: { 'ephemeral-storage': '2Gi' } }, 'limits.ephemeral-storage', '1Gi', '2'],
    [{ requests: { 'hugepages-2Mi': '4Mi' } }, 'requests.hugepages-2Mi', undefined, '4194304'],
    [{}, 'limits.hugepages-2Mi', undefined, '0'],
  ])('%j: %s in %s', async (resources, resource, divisor, expected) => {
    const reader = new Reader();
    expect(await valuesOf(withResources(resources, resource, divisor), { reader })).toEqual({ R: expected });
    expect(reader.reads).toEqual([]);
  });

  test('of another container', async () => {
    expect(await valuesOf(reference('limits.cpu', undefined, 'other'))).toEqual({ R: '2' });
    expect(await valuesOf(reference('requests.memory', '1Mi', 'other'))).toEqual({ R: '64' });
  });

  test("a limit that is not set is the node's allocatable amount", async () => {
    const reader = new Reader();
    reader.allocatable = { cpu: '3800m', memory: '8130252Ki' };
    expect(await valuesOf(reference('limits.cpu'), { reader })).toEqual({ R: '4' });
    expect(await valuesOf(reference('limits.memory', undefined, 'other'), { reader })).toEqual({ R: '8325378048' });
    expect(reader.reads).toEqual(['node node-1', 'node node-1']);
  });

  test("or the pod's own limit", async () => {
    const reader = new Reader();
    reader.allocatable = { memory: '8Gi' };
    const spec = { resources: { limits: { memory: '1Gi' } } };
    expect(await valuesOf(reference('limits.memory', '1Mi'), { reader, spec })).toEqual({ R: '1024' });
    expect(reader.reads).toEqual([]);
  });

  test('an init container called by its name has no such default', async () => {
    const spec = { initContainers: [{ name: 'first' }] };
    expect(await valuesOf(reference('limits.memory', undefined, 'first'), { spec })).toEqual({ R: '0' });
  });

  test('where nodes cannot be read, the variable is left out with a note', async () => {
    const { variables, notes } = await resolve(reference('limits.memory'));
    expect(variables).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^R is left out: container cart sets no limits.memory.*node-1/)]);
  });

  test.each(['limits.gpu', 'memory', ''])('an unknown resource "%s"', async (resource) => {
    expect((await problemOf(reference(resource))).what).toContain('R comes from');
  });
});

describe('files in the pod (fileKeyRef)', () => {
  const env = (optional: boolean) => [
    { name: 'F', valueFrom: { fileKeyRef: { volumeName: 'generated', path: 'app.env', key: 'TOKEN', optional } } },
  ];

  test('required: a clear problem', async () => {
    const problem = await problemOf({ env: env(false) });
    expect(problem.what).toContain(
      'F comes from key TOKEN of the file app.env in the volume generated (fileKeyRef), which can only be read inside the pod.',
    );
  });

  test('optional: a note', async () => {
    const { variables, notes } = await resolve({ env: env(true) });
    expect(variables).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('F is left out')]);
  });
});

describe('which container', () => {
  test('a sidecar among the init containers', async () => {
    const spec = { initContainers: [{ name: 'sidecar', env: [{ name: 'A', value: 'b' }], restartPolicy: 'Always' }] };
    expect(await valuesOf({}, { container: 'sidecar', spec })).toEqual({ A: 'b' });
  });

  test('an unknown one', async () => {
    const problem = await problemOf({}, { container: 'card' });
    expect(problem.code).toBe('container-unknown');
    expect(problem.why).toContain('other, cart');
  });

  test('a pod that is none', async () => {
    await expect(
      resolveEnvironment(
        { pod: { kind: 'Pod' }, container: 'a', namespace: 'b', services: [], reader: new Reader() },
        signal,
      ),
    ).rejects.toThrow(Problem);
  });

  test('an aborted signal ends it', async () => {
    await expect(
      resolveEnvironment(
        {
          pod: { metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }] } },
          container: 'a',
          namespace: 'b',
          services: [],
          reader: new Reader(),
        },
        AbortSignal.abort(),
      ),
    ).rejects.toThrow('aborted');
  });
});
