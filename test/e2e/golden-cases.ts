/** Pods of every source and edge of environment and volumes, for the comparison with what is worked out for this computer. */

export interface GoldenCase {
  readonly name: string;
  readonly env?: readonly object[];
  readonly envFrom?: readonly object[];
  readonly volumes?: readonly object[];
  /** Mount path → name of the volume, or a whole volumeMount without its path. */
  readonly mounts?: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  /** More of the pod's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** More of the container. */
  readonly container?: Readonly<Record<string, unknown>>;
}

const goldenImage = 'kubernetes-local.test/busybox:1';

const multiLine = 'first=1\nsecond = "zwei"\n\n  grün \t🚲 $(NOT_EXPANDED) $$\n';

/** The objects to which the pods refer. */
export const goldenObjects: readonly object[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: {
      GREETING: 'hello',
      EMPTY: '',
      EQUALS: '=a=b=',
      MULTI_LINE: multiLine,
      'app.properties': 'a=1\nb=2\n',
      '1st': 'a digit first',
      '.hidden': 'hidden',
      'with-dash.and_underscore': 'x',
    },
    binaryData: { 'logo.bin': Buffer.of(0xff, 0, 0x89, 0x50).toString('base64') },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nothing' } },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys' },
    stringData: {
      PASSWORD: 'pa$$(GREETING)word',
      'tls.key': '-----BEGIN\nabc=\n-----END\n',
      GREETING: 'a secret greeting',
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'binary' },
    data: { blob: Buffer.of(0, 1, 2, 0xfe, 0xff).toString('base64'), text: Buffer.from('plain').toString('base64') },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'prices' },
    spec: { ports: [{ name: 'http', port: 80 }] },
  },
];

const configMap = (name: string, more: object = {}) => ({ name: 'v', configMap: { name, ...more } });
const secret = (secretName: string, more: object = {}) => ({ name: 'v', secret: { secretName, ...more } });
const downward = (items: readonly object[], more: object = {}) => ({ name: 'v', downwardAPI: { items, ...more } });
const projected = (sources: readonly object[], more: object = {}) => ({ name: 'v', projected: { sources, ...more } });
const field = (path: string, fieldPath: string, more: object = {}) => ({ path, fieldRef: { fieldPath }, ...more });
const amount = (path: string, resource: string, divisor?: string) => ({
  path,
  resourceFieldRef: { containerName: 'main', resource, ...(divisor !== undefined && { divisor }) },
});
const at = (volume: object, mount: string | object = 'v', path = '/m') => ({
  volumes: [volume],
  mounts: { [path]: mount as string },
});
/** What only root may read can only be compared by root. */
const asRoot = { spec: { securityContext: { runAsUser: 0 } } };
const key = (name: string, from: string, of: string, optional = false) => ({
  name,
  valueFrom: { [from]: { name: of, key: name, optional } },
});

export const goldenCases: readonly GoldenCase[] = [
  // ConfigMap volumes
  { name: 'config-map', ...at(configMap('settings')) },
  { name: 'config-map-items', ...at(configMap('settings', { items: [{ key: 'GREETING', path: 'greeting.txt' }] })) },
  {
    name: 'config-map-nested-items',
    ...at(
      configMap('settings', {
        items: [
          { key: 'GREETING', path: 'a/b/greeting' },
          { key: 'EMPTY', path: 'a/empty' },
          { key: 'logo.bin', path: 'c' },
        ],
      }),
    ),
  },
  { name: 'config-map-mode', ...at(configMap('settings', { defaultMode: 0o400 })), ...asRoot },
  {
    name: 'config-map-item-mode',
    ...at(
      configMap('settings', {
        defaultMode: 0o640,
        items: [
          { key: 'GREETING', path: 'run.sh', mode: 0o755 },
          { key: 'EMPTY', path: 'empty' },
        ],
      }),
    ),
  },
  { name: 'config-map-empty', ...at(configMap('nothing')) },
  { name: 'config-map-optional-absent', ...at(configMap('absent', { optional: true })) },
  {
    name: 'config-map-optional-key',
    ...at(configMap('settings', { optional: true, items: [{ key: 'absent', path: 'x' }] })),
  },
  { name: 'config-map-fs-group', ...at(configMap('settings')), spec: { securityContext: { fsGroup: 2000 } } },
  { name: 'config-map-read-only', ...at(configMap('settings'), { name: 'v', readOnly: true }) },
  {
    name: 'config-map-sub-path',
    ...at(configMap('settings'), { name: 'v', subPath: 'app.properties' }, '/m/app.properties'),
  },
  {
    name: 'config-map-sub-path-folder',
    ...at(configMap('settings', { items: [{ key: 'GREETING', path: 'deep/er/greeting' }] }), {
      name: 'v',
      subPath: 'deep',
    }),
  },
  {
    name: 'config-map-sub-path-expr',
    ...at(configMap('settings'), { name: 'v', subPathExpr: '$(WHICH).properties' }, '/m/file'),
    env: [{ name: 'WHICH', value: 'app' }],
  },
  {
    name: 'config-map-twice',
    volumes: [configMap('settings')],
    mounts: { '/m': 'v', '/m2': { name: 'v', readOnly: true } },
  },
  // Secret volumes
  { name: 'secret', ...at(secret('keys')) },
  { name: 'secret-mode', ...at(secret('keys', { defaultMode: 0o400 })), ...asRoot },
  { name: 'secret-binary', ...at(secret('binary')) },
  {
    name: 'secret-items',
    ...at(secret('keys', { items: [{ key: 'tls.key', path: 'tls/key.pem', mode: 0o440 }] })),
    ...asRoot,
  },
  { name: 'secret-optional-absent', ...at(secret('absent', { optional: true })) },
  { name: 'secret-fs-group', ...at(secret('keys')), spec: { securityContext: { fsGroup: 2000, runAsUser: 1000 } } },
  // Downward API
  {
    name: 'downward-fields',
    ...at(
      downward([
        field('name', 'metadata.name'),
        field('namespace', 'metadata.namespace'),
        field('uid', 'metadata.uid'),
        field('label', "metadata.labels['app.kubernetes.io/name']"),
        field('no-label', "metadata.labels['absent']"),
      ]),
    ),
  },
  { name: 'downward-labels', ...at(downward([field('labels', 'metadata.labels')])) },
  { name: 'downward-annotations', ...at(downward([field('deep/annotations', 'metadata.annotations')])) },
  {
    name: 'downward-resources',
    ...at(
      downward([
        amount('cpu', 'requests.cpu'),
        amount('cpu-milli', 'requests.cpu', '1m'),
        amount('memory', 'limits.memory', '1Mi'),
        amount('memory-bytes', 'requests.memory'),
      ]),
    ),
  },
  {
    name: 'downward-mode',
    ...asRoot,
    ...at(
      downward([field('name', 'metadata.name', { mode: 0o600 }), field('uid', 'metadata.uid')], { defaultMode: 0o444 }),
    ),
  },
  // Projected
  {
    name: 'projected-all',
    ...at(
      projected([
        { configMap: { name: 'settings', items: [{ key: 'app.properties', path: 'config/app' }] } },
        { secret: { name: 'keys', items: [{ key: 'PASSWORD', path: 'secret/password' }] } },
        { downwardAPI: { items: [field('labels', 'metadata.labels')] } },
      ]),
    ),
  },
  {
    name: 'projected-collision',
    ...at(projected([{ configMap: { name: 'settings' } }, { secret: { name: 'keys' } }])),
  },
  {
    name: 'projected-mode',
    ...at(
      projected(
        [
          { secret: { name: 'keys', items: [{ key: 'PASSWORD', path: 'p', mode: 0o777 }] } },
          { configMap: { name: 'settings', items: [{ key: 'GREETING', path: 'g' }] } },
        ],
        { defaultMode: 0o404 },
      ),
    ),
  },
  {
    name: 'projected-optional',
    ...at(
      projected([
        { secret: { name: 'absent', optional: true } },
        { configMap: { name: 'settings', optional: true, items: [{ key: 'absent', path: 'x' }] } },
        { configMap: { name: 'settings', items: [{ key: 'EMPTY', path: 'empty' }] } },
      ]),
    ),
  },
  { name: 'projected-nothing', ...at(projected([])) },
  // The service account
  { name: 'token-default', mounts: {} },
  {
    name: 'token-own',
    ...at(projected([{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 3600 } }])),
  },
  {
    name: 'token-fs-group',
    ...at(projected([{ serviceAccountToken: { path: 'deep/token', expirationSeconds: 600 } }])),
    spec: { securityContext: { fsGroup: 2000 } },
  },
  {
    name: 'token-run-as-user',
    ...at(projected([{ serviceAccountToken: { path: 'token' } }])),
    spec: { securityContext: { runAsUser: 1000 } },
  },
  { name: 'token-none', spec: { automountServiceAccountToken: false } },
  // Several volumes
  {
    name: 'nested-mounts',
    volumes: [
      { name: 'outer', emptyDir: {} },
      { name: 'inner', configMap: { name: 'settings', items: [{ key: 'GREETING', path: 'greeting' }] } },
    ],
    mounts: { '/m/inner': 'inner' },
  },
  {
    name: 'two-sources-side-by-side',
    ...asRoot,
    volumes: [
      { name: 'config', configMap: { name: 'settings' } },
      { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o440 } },
    ],
    mounts: { '/etc/cart/config': 'config', '/etc/cart/secret': 'secret' },
  },
  // Environment
  { name: 'env-literals', env: [{ name: 'A', value: 'a' }, { name: 'B', value: '$(A) $$(A) $(C)' }, { name: 'C' }] },
  { name: 'env-multi-line', env: [{ name: 'TEXT', value: multiLine }] },
  {
    name: 'env-from',
    envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'P_', secretRef: { name: 'keys' } }],
  },
  { name: 'env-from-collision', envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }] },
  {
    name: 'env-optional',
    env: [key('GREETING', 'configMapKeyRef', 'absent', true), key('absent', 'secretKeyRef', 'keys', true)],
    envFrom: [{ configMapRef: { name: 'absent', optional: true } }],
  },
  { name: 'env-keys', env: [key('PASSWORD', 'secretKeyRef', 'keys'), key('EQUALS', 'configMapKeyRef', 'settings')] },
  {
    name: 'env-downward',
    env: [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
    ],
  },
  { name: 'env-no-links', spec: { enableServiceLinks: false } },
  { name: 'env-host-name', spec: { hostname: 'named', subdomain: 'sub' } },
  {
    name: 'env-over-the-image',
    env: [
      { name: 'PATH', value: '/bin:/usr/bin' },
      { name: 'HOME', value: '/m' },
    ],
  },
];

/** The pod of a case. */
export function goldenPod({ name, env, envFrom, volumes, mounts, spec, container }: GoldenCase): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { 'app.kubernetes.io/name': name, another: 'x' },
      annotations: { 'example.com/note': 'two\nlines "quoted" \\ grün', empty: '' },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes,
      containers: [
        {
          name: 'main',
          image: goldenImage,
          resources: { requests: { cpu: '5m', memory: '10M' }, limits: { memory: '32Mi' } },
          env,
          envFrom,
          volumeMounts: Object.entries(mounts ?? {}).map(([mountPath, mount]) => ({
            mountPath,
            ...(typeof mount === 'string' ? { name: mount } : mount),
          })),
          ...container,
        },
      ],
      ...spec,
    },
  };
}
