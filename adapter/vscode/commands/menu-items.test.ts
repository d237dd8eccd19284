import { describe, expect, it } from 'vitest';
import { commands } from '../identifiers.ts';
import { exampleForeign, exampleHeld } from '../view/example-connection.ts';
import { menuItems } from './menu-items.ts';

const nothing = { state: { kind: 'none' }, held: [], foreign: [] } as const;
const labels = (...[sessions]: Parameters<typeof menuItems>) => menuItems(sessions).map(({ label }) => label);

describe('menuItems', () => {
  it('begins with what a newcomer needs', () => {
    expect(labels(nothing)).toEqual([
      'Configure',
      'Connect…',
      'Show Diagnostic Information',
      'Check This Computer',
      'Restore',
      'Open Log',
    ]);
  });

  it('begins with the end of the session while one stands', () => {
    const items = menuItems({ ...nothing, held: [exampleHeld] });
    expect(items.map(({ label }) => label)).toEqual([
      'Disconnect cart',
      'Copy Name of a Service for cart…',
      'Show Sessions',
      'Configure',
      'Connect…',
      'Show Diagnostic Information',
      'Check This Computer',
      'Restore',
      'Open Log of cart',
      'Open Log',
    ]);
    const { key, target, place } = exampleHeld;
    expect(items[0]).toEqual({
      label: 'Disconnect cart',
      description: 'shop of kind-e2e',
      action: { do: 'command', command: commands.disconnect, argument: { session: { key, target, place } } },
    });
  });

  it('begins with Restore where a session was interrupted, and offers it once', () => {
    const items = menuItems({ ...nothing, foreign: [exampleForeign('interrupted')] });
    expect(items[0]).toMatchObject({ label: 'Restore', description: 'deployment/web in shop of kind-e2e' });
    expect(items.filter(({ label }) => label === 'Restore')).toHaveLength(1);
  });

  it('offers no second connection while one begins or ends', () => {
    expect(labels({ ...nothing, state: { kind: 'undoing', target: 'cart' } })).not.toContain('Connect…');
  });

  it('says of a session that another program holds it', () => {
    expect(menuItems({ ...nothing, foreign: [exampleForeign('connected')] })).toContainEqual(
      expect.objectContaining({ label: 'Disconnect web', description: 'shop of kind-e2e, of another program' }),
    );
  });
});
