import { describe, expect, it } from 'vitest';
import { contentRights } from './content-rights.ts';
import type { Pod } from './objects.ts';

const words = (spec: object, container: object = {}) => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'i', ...container }], ...spec } };
  return contentRights(pod as unknown as Pod, 'main').map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
};

describe('the rights for variables and files', () => {
  it('are none for a container that refers to nothing, and for the token that Kubernetes itself adds', () => {
    const automatic = { name: 'kube-api-access-x7f2p', projected: { sources: [{ serviceAccountToken: {} }] } };
    expect(words({})).toEqual([]);
    expect(words({ volumes: [automatic] }, { volumeMounts: [{ name: automatic.name }] })).toEqual([]);
  });

  it('are for what its variables refer to, each once', () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'b' } } },
    ];
    const envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'more' } }];
    expect(words({}, { env, envFrom })).toEqual(['get configmaps settings', 'get secrets keys', 'get secrets more']);
  });

  it('are for the volumes that it mounts, not for those of its neighbours', () => {
    const volumes = [
      { name: 'config', configMap: { name: 'files' } },
      { name: 'secret', secret: { secretName: 'tls' } },
      { name: 'other', secret: { secretName: 'not-mounted' } },
      {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'more' } },
            { secret: { name: 'keys' } },
            { serviceAccountToken: { path: 'token', audience: 'vault' } },
          ],
        },
      },
    ];
    const volumeMounts = [{ name: 'config' }, { name: 'secret' }, { name: 'all' }];
    expect(words({ volumes, serviceAccountName: 'cart' }, { volumeMounts })).toEqual([
      'get configmaps files',
      'get configmaps more',
      'get secrets tls',
      'get secrets keys',
      'create serviceaccounts/token cart',
    ]);
  });
});
