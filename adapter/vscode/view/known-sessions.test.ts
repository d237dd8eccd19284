import { describe, expect, it } from 'vitest';
import { exampleConnection, exampleForeign, exampleHeld } from './example-connection.ts';
import { ofThisWindow } from './known-sessions.ts';

const nothing = { state: { kind: 'none' }, held: [], foreign: [] } as const;
const { key, target, place } = exampleForeign('connected');
const seen = (...foreign: ReturnType<typeof exampleForeign>[]) => ({
  state: { kind: 'connected', held: [], foreign } as const,
  held: [],
  foreign,
});

describe('ofThisWindow', () => {
  it('leaves other programs’ sessions theirs', () => {
    const known = seen(exampleForeign('connected'));
    expect(ofThisWindow(known, new Map())).toEqual(known);
    expect(ofThisWindow(nothing, new Map([[key, undefined]]))).toEqual(nothing);
  });

  it('makes a session that this window debugs its own, as soon as its connection is known', () => {
    const known = { ...seen(exampleForeign('connected')), held: [exampleHeld] };
    const mine = { key, target, place, connection: exampleConnection };
    const result = ofThisWindow(known, new Map([[key, exampleConnection]]));
    expect(result).toEqual({
      state: { kind: 'connected', held: [exampleHeld, mine], foreign: [] },
      held: [exampleHeld, mine],
      foreign: [],
    });
    expect(ofThisWindow(known, new Map([[key, undefined]])).state).toMatchObject({ kind: 'connecting', target });
  });

  it('says what such a session is doing', () => {
    const debugged = new Map([[key, undefined]]);
    const state = (of: Parameters<typeof exampleForeign>[0]) => ofThisWindow(seen(exampleForeign(of)), debugged).state;
    expect(state('connecting')).toEqual({ kind: 'connecting', target, step: '' });
    expect(state('undoing')).toEqual({ kind: 'undoing', target });
    expect(state('ended')).toEqual({ kind: 'none' });
  });

  it('leaves an interrupted one where it can be restored', () => {
    const known = seen(exampleForeign('interrupted'));
    expect(ofThisWindow(known, new Map([[key, undefined]]))).toEqual(known);
  });

  it('says first what the extension itself is doing', () => {
    const state = { kind: 'undoing', target: 'service/cart' } as const;
    expect(ofThisWindow({ ...nothing, state }, new Map()).state).toEqual(state);
  });
});
