import { describe, expect, it } from 'vitest';
import { exampleForeign, exampleHeld } from './example-connection.ts';
import { statusText } from './status-text.ts';

describe('statusText', () => {
  it('says each state in words, with an icon', () => {
    const interrupted = [exampleForeign('interrupted')];
    const texts = [
      statusText({ kind: 'none' }),
      statusText({ kind: 'connecting', target: 'service/cart', step: 'Waiting for pods' }),
      statusText({ kind: 'connected', held: [exampleHeld], foreign: [] }),
      statusText({ kind: 'undoing', target: 'cart' }),
      statusText({ kind: 'connected', held: [], foreign: interrupted }),
      statusText({ kind: 'connected', held: [], foreign: [exampleForeign('connected')] }),
      statusText({ kind: 'connected', held: [], foreign: [exampleForeign('undoing')] }),
    ];
    expect(texts.map(({ text }) => text)).toEqual([
      '$(debug-disconnect) Kubernetes: not connected',
      '$(sync~spin) Kubernetes: connecting to cart…',
      '$(debug-alt) Kubernetes: cart (shop)',
      '$(discard) Kubernetes: undoing cart…',
      '$(warning) Kubernetes: web interrupted',
      '$(debug-disconnect) Kubernetes: not connected',
      '$(discard) Kubernetes: undoing web…',
    ]);
    expect(texts.map(({ spoken }) => spoken)).toEqual([
      'Kubernetes Local: not connected',
      'Kubernetes Local: connecting to cart',
      'Kubernetes Local: connected, cart in shop',
      'Kubernetes Local: undoing cart',
      'Kubernetes Local: web interrupted',
      'Kubernetes Local: not connected',
      'Kubernetes Local: undoing web',
    ]);
  });

  it('names two sessions, and counts more', () => {
    const held = (target: string, place = exampleHeld.place) => ({ ...exampleHeld, target, place });
    const text = (...all: (typeof exampleHeld)[]) => statusText({ kind: 'connected', held: all, foreign: [] }).text;
    expect(text(held('cart'), held('service/web'))).toBe('$(debug-alt) Kubernetes: cart and web (shop)');
    expect(text(held('a'), held('b'), held('c', 'bank of kind-e2e'))).toBe(
      '$(debug-alt) Kubernetes: 3 sessions (shop, bank)',
    );
  });

  it('tells workload, pods, ports and network mode of what stands, and what else there is', () => {
    const { lines } = statusText({
      kind: 'connected',
      held: [exampleHeld],
      foreign: [exampleForeign('interrupted'), exampleForeign('undoing')],
    });
    expect(lines.map(({ about, text }) => `${about}: ${text}`)).toEqual([
      'Workload: deployment/cart in shop of kind-e2e',
      'Pods: cart-7d-2, cart-7d-10',
      'Port 8080: requests reach 127.0.0.1:5000',
      'Network: hosts: names of the cluster work in every program here',
      'Interrupted: deployment/web in shop of kind-e2e. Restore undoes what it left.',
      'Another program: deployment/web in shop of kind-e2e: undoing',
    ]);
  });

  it('tells the step while it connects', () => {
    const { lines } = statusText({ kind: 'connecting', target: 'service/cart', step: 'Waiting for pods' });
    expect(lines).toContainEqual({ about: 'Now', text: 'Waiting for pods' });
  });
});
