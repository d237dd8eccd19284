import { describe, expect, it } from 'vitest';
import { keptParts } from './kept-parts.ts';
import type { Container } from './objects.ts';

const both = { probes: true, lifecycle: true };
const container = (parts: object) => ({ name: 'cart', image: 'cart', ...parts }) as Container;
const http = { httpGet: { path: '/live', port: 8080 }, periodSeconds: 7 };
const exec = { exec: { command: ['true'] } };

describe('what stays on the agent', () => {
  it('is nothing unless it is asked for', () => {
    const parts = container({ livenessProbe: http, lifecycle: { preStop: http } });
    expect(keptParts(parts, { probes: false, lifecycle: false })).toEqual({ notes: [] });
  });

  it('is a liveness probe over the network, and said', () => {
    const { livenessProbe, notes } = keptParts(container({ livenessProbe: http }), both);
    expect(livenessProbe).toEqual(http);
    expect(notes).toEqual([expect.stringMatching(/^Its liveness probe is kept/)]);
  });

  it('is no probe that runs a command or holds the agent back', () => {
    const { livenessProbe, notes } = keptParts(container({ livenessProbe: exec, readinessProbe: http }), both);
    expect(livenessProbe).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(/readiness/), expect.stringMatching(/runs a command/)]);
  });

  it('is a preStop hook over the network and the stop signal, not the other hooks', () => {
    const lifecycle = { stopSignal: 'SIGUSR1', postStart: http, preStop: { httpGet: { port: 80 } } };
    const kept = keptParts(container({ lifecycle }), both);
    expect(kept.lifecycle).toEqual({ stopSignal: 'SIGUSR1', preStop: { httpGet: { port: 80 } } });
    expect(kept.notes).toEqual([expect.stringMatching(/postStart/)]);
    const commands = keptParts(container({ lifecycle: { preStop: exec } }), both);
    expect(commands.lifecycle).toBeUndefined();
    expect(commands.notes).toEqual([expect.stringMatching(/preStop hook is not kept/)]);
  });
});
