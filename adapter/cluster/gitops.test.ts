import { expect, test } from 'vitest';
import { howToPause } from './gitops.ts';

const bare = { labels: {}, annotations: {} };

test.each([
  ['argocd-controller', bare, 'argocd app set APPLICATION --sync-policy none'],
  [
    'kubectl',
    { ...bare, annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/cart' } },
    'app set shop ',
  ],
  [undefined, { ...bare, labels: { 'argocd.argoproj.io/instance': 'shop' } }, 'argocd app set shop '],
  ['kustomize-controller', bare, 'flux suspend kustomization NAME'],
  [
    undefined,
    {
      ...bare,
      labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux' },
    },
    'flux suspend kustomization apps -n flux',
  ],
  ['helm-controller', { ...bare, labels: { 'helm.toolkit.fluxcd.io/name': 'cart' } }, 'flux suspend helmrelease cart'],
])('%s with %j is paused by its own command', (manager, metadata, command) => {
  expect(howToPause(manager, metadata)).toContain(command);
});

test('people are not paused', () => {
  expect(howToPause('kubectl-edit', bare)).toBeUndefined();
  expect(howToPause(undefined, bare)).toBeUndefined();
});
