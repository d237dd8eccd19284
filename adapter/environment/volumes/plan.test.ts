import { expect, it } from 'vitest';
import { parsePod } from '../pod.ts';
import { nestedMountPoints } from './nested-mounts.ts';
import { planVolumes } from './plan.ts';

const volumes = [
  { name: 'config', configMap: { name: 'settings' } },
  { name: 'keys', secret: { secretName: 'keys' } },
  { name: 'all', projected: { sources: [] } },
  { name: 'about', downwardAPI: { items: [] } },
  { name: 'cache', emptyDir: {} },
  { name: 'data', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
  { name: 'node', hostPath: { path: '/' } },
  { name: 'disk', csi: { driver: 'x' } },
  { name: 'unused', emptyDir: {} },
  { name: 'kube-api-access-x2x4z', projected: { sources: [] } },
];

function pod(volumeMounts: readonly object[], others: readonly object[] = []) {
  return {
    metadata: { name: 'cart' },
    spec: {
      volumes,
      containers: [
        { name: 'cart', volumeMounts },
        { name: 'other', volumeMounts: others },
      ],
    },
  };
}
const mount = (name: string, mountPath: string, more: object = {}) => ({ name, mountPath, ...more });

it('tells what the API has from what only the pod has', () => {
  const all = volumes.slice(0, 8).map(({ name }) => mount(name, `/${name}`));
  expect(planVolumes(pod(all), 'cart', {}).map(({ name, kind, from }) => `${name} ${kind} ${from}`)).toEqual([
    'config configMap api',
    'keys secret api',
    'all projected api',
    'about downwardAPI api',
    'cache emptyDir agent',
    'data persistentVolumeClaim agent',
    'node hostPath agent',
    'disk other agent',
  ]);
});

it('gives each mount its path, and says which cannot be written to', () => {
  const planned = planVolumes(
    pod([
      mount('config', '/etc/app/', { subPath: 'a.conf' }),
      mount('config', 'etc//other'),
      mount('cache', '/cache'),
      mount('cache', '/seen', { readOnly: true }),
      mount('data', '/data'),
    ]),
    'cart',
    {},
  );
  expect(planned.flatMap(({ mounts }) => mounts)).toEqual([
    { volume: 'config', mountPath: '/etc/app', subPath: 'a.conf', readOnly: true },
    { volume: 'config', mountPath: '/etc/other', subPath: '', readOnly: true },
    { volume: 'cache', mountPath: '/cache', subPath: '', readOnly: false },
    { volume: 'cache', mountPath: '/seen', subPath: '', readOnly: true },
    { volume: 'data', mountPath: '/data', subPath: '', readOnly: true },
  ]);
});

it('expands subPathExpr', () => {
  const subPathExpr = '$(POD)/$$(POD)/x';
  const [cache] = planVolumes(pod([mount('cache', '/c', { subPathExpr })]), 'cart', { POD: 'cart-1' });
  expect(cache?.mounts[0]).toMatchObject({ subPath: 'cart-1/$(POD)/x' });
  const [faulty] = planVolumes(pod([mount('cache', '/c', { subPathExpr: '$(POD)' })]), 'cart', {});
  expect(faulty?.mounts[0]?.fault).toBe('Its subPathExpr $(POD) names POD, which the container does not have.');
});

it('finds the automatic volume of another pod', () => {
  const planned = planVolumes(pod([mount('kube-api-access-other', '/var/run/secrets')]), 'cart', {});
  expect(planned).toMatchObject([{ name: 'kube-api-access-x2x4z', mounts: [{ volume: 'kube-api-access-x2x4z' }] }]);
});

it('refuses an unknown container', () => {
  expect(() => planVolumes(pod([]), 'none', {})).toThrow('no container "none"');
});

it('knows the folders on which other mounts stand', () => {
  const parsed = parsePod(
    pod(
      [
        mount('config', '/etc/app'),
        mount('keys', '/etc/app/tls/keys'),
        mount('cache', '/etc/app/tls/keys/deep'),
        mount('about', '/etc/app/tls2'),
        mount('node', '/etc/application'),
      ],
      [mount('config', '/c'), mount('cache', '/c/cache/'), mount('keys', '/etc/app/not')],
    ),
  );
  const points = (name: string) => {
    const volume = parsed.spec.volumes.find((each) => each.name === name);
    return volume && nestedMountPoints(parsed, volume);
  };
  expect(points('config')).toEqual(['tls/keys', 'tls2', 'cache']);
  expect(points('keys')).toEqual(['deep']);
  expect(points('node')).toEqual([]);
});
