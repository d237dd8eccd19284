import { expect, test } from 'vitest';
import { remedyInVscode } from './remedy-in-vscode.ts';

test('is a command link with everything that the command needs', () => {
  const remedy = remedyInVscode('daemon-failed', { target: 'cart', namespace: 'shop', kubeconfig: '/a b/ü' });
  expect(remedy?.urlLabel).toBe('Restore');
  const [command, query = ''] = remedy?.url.split('?') ?? [];
  expect(command).toBe('command:kubernetes-local.remedy');
  expect(JSON.parse(decodeURIComponent(query))).toEqual([
    { command: 'restore', target: 'cart', namespace: 'shop', kubeconfig: '/a b/ü' },
  ]);
});

test('there is none where only the text helps', () => {
  expect(remedyInVscode('cancelled', {})).toBeUndefined();
});
