import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../../cluster/fake-api-server.ts';
import { acquireLease, type Holder, readLease, TargetHeld } from '../../cluster/lease.ts';
import { answerTakeover } from '../../cluster/lease-wishes.ts';
import { silentLog } from '../../diagnostics/log.ts';
import type { Problem } from '../../problem.ts';
import type { HeldAnswer, HeldPolicy, HeldQuestion } from '../questions/held-question.ts';
import { obtainHeld } from './holding.ts';
import { followHolding } from './holding-watch.ts';

const target = { workload: { kind: 'Deployment', name: 'cart', namespace: 'shop' } } as const;
const anna: Holder = { session: 'a', user: 'anna', host: 'laptop' };
const boris: Holder = { session: 'b', user: 'boris', host: 'desk' };
const cleo: Holder = { session: 'c', user: 'cleo', host: 'tower' };
const { signal: never } = new AbortController();

interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: object;
}

/** The Lease of one workload, with optimistic locking and watches, as the API server has it. There is no workload. */
class OneLease {
  #stored: Stored | undefined;
  #version = 0;
  readonly #watches = new Set<ServerResponse>();

  answer = ({ method, path, query, body }: FakeRequest): FakeAnswer => {
    if (!path.includes('/leases')) return 404;
    if (query.get('watch') !== null) return (response) => this.#watch(response);
    if (method === 'GET') return path.endsWith('/leases') ? this.#list() : (this.#stored ?? 404);
    if (method === 'POST') return this.#stored ? 409 : this.#store(body as Stored);
    if (this.#stored === undefined) return 404;
    const given = method === 'DELETE' ? (body as { preconditions: Stored['metadata'] }).preconditions : undefined;
    const { resourceVersion } = given ?? (body as Stored).metadata;
    if (resourceVersion !== this.#stored.metadata.resourceVersion) return 409;
    if (method === 'PUT') return this.#store(body as Stored);
    this.#tell('DELETED', this.#stored);
    this.#stored = undefined;
    return { kind: 'Status' };
  };

  /** As if the holder had been silent for a minute. */
  expire(): void {
    if (this.#stored === undefined) throw new Error('there is no Lease');
    const renewTime = new Date(Date.now() - 60_000).toISOString();
    this.#store({ ...this.#stored, spec: { ...this.#stored.spec, renewTime } });
  }

  get watched(): number {
    return this.#watches.size;
  }

  #list() {
    return { metadata: { resourceVersion: String(this.#version) }, items: this.#stored ? [this.#stored] : [] };
  }

  #store(lease: Stored): Stored {
    const resourceVersion = String(++this.#version);
    const stored = { ...lease, metadata: { ...lease.metadata, namespace: 'shop', uid: 'u', resourceVersion } };
    this.#tell(this.#stored ? 'MODIFIED' : 'ADDED', stored);
    this.#stored = stored;
    return stored;
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    this.#watches.add(response);
    response.once('close', () => this.#watches.delete(response));
  }

  #tell(type: string, object: Stored): void {
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type, object })}\n`);
  }
}

let lease: OneLease;
let server: FakeApiServer;
let said: string[];
let asked: HeldQuestion[];

beforeEach(async () => {
  lease = new OneLease();
  server = await FakeApiServer.start(lease.answer);
  said = [];
  asked = [];
});
afterEach(() => server[Symbol.asyncDispose]());

/** What the user of this holder gets. */
function obtain(
  holder: Holder,
  onHeld: HeldPolicy,
  more: { readonly answer?: HeldAnswer; readonly waitLimit?: number; readonly patience?: number } = {},
) {
  const { answer = 'impossible', waitLimit, patience } = more;
  const options = {
    cluster: server.cluster(),
    request: { onHeld, ...(waitLimit !== undefined && { waitLimit }) },
    holder,
    ask: {
      held: async (question: HeldQuestion) => {
        asked.push(question);
        return answer;
      },
    },
    ...(patience !== undefined && { patience }),
    journal: { append: () => {} },
    progress: (text: string) => void said.push(text),
    notice: ({ text }: { readonly text: string }) => void said.push(text),
  };
  return obtainHeld(options, held, never);
}
const held = new TargetHeld(target, { what: 'It is held.', why: 'By anna.', remedy: '' });
const hold = (holder: Holder) => acquireLease(server.cluster(), target, holder, never);
const holderNow = async () => (await readLease(server.cluster(), target, never))?.session;

describe('a held target', () => {
  it('ends with who holds it, as asked for', async () => {
    await hold(anna);
    await expect(obtain(boris, 'fail')).rejects.toBe(held);
    expect(asked).toEqual([]);
  });

  it.each(['cancel', 'impossible'] as const)('ends so too after the answer "%s"', async (answer) => {
    await hold(anna);
    await expect(obtain(boris, 'ask', { answer })).rejects.toBe(held);
    expect(asked).toMatchObject([
      {
        text: expect.stringMatching(/^deployment\/cart is replaced by anna on laptop since \d\d:\d\d\.$/),
        choices: [{ answer: 'wait' }, { answer: 'share' }, { answer: 'take-over' }, { answer: 'cancel' }],
      },
    ]);
    expect(await holderNow()).toBe('a');
  });

  it('is shared', async () => {
    await hold(anna);
    expect(await obtain(boris, 'share')).toMatchObject({
      kind: 'guest',
      of: { session: 'a', holder: 'anna on laptop' },
    });
    expect(await obtain(boris, 'ask', { answer: 'share' })).toMatchObject({ kind: 'guest' });
    expect(await holderNow()).toBe('a');
  });

  it('that is free again is taken', async () => {
    expect(await obtain(boris, 'fail')).toMatchObject({ kind: 'lease' });
    expect(await holderNow()).toBe('b');
  });
});

describe('waiting', () => {
  it('ends as soon as the Lease is released; of two who wait one waits on', async () => {
    const first = await hold(anna);
    const both = [boris, cleo].map(async (holder) => {
      const obtained = await obtain(holder, 'wait');
      if (obtained.kind !== 'lease') throw new Error('it was not to be shared');
      return { holder, lease: obtained.lease };
    });
    await vi.waitFor(() => expect(lease.watched).toBe(2));
    await first.release(never);
    const winner = await Promise.race(both);
    expect(await holderNow()).toBe(winner.holder.session);
    await winner.lease.release(never);
    const [one, other] = await Promise.all(both);
    expect(await holderNow()).toBe([one, other].find((each) => each !== winner)?.holder.session);
    expect(said).toContainEqual(
      expect.stringMatching(/^Waiting for deployment\/cart: anna on laptop has it since \d\d:\d\d$/),
    );
  });

  it('has a limit', async () => {
    await hold(anna);
    await expect(obtain(boris, 'wait', { waitLimit: 100 })).rejects.toMatchObject({
      code: 'target-held',
      what: expect.stringContaining('was not free within'),
      why: expect.stringContaining('anna on laptop has it since'),
    });
    expect(await holderNow()).toBe('a');
  });
});

describe('taking over', () => {
  it('tells the holder, who undoes and releases', async () => {
    const first = await hold(anna);
    const lost = Promise.withResolvers<Problem>();
    const following = followHolding(
      { cluster: server.cluster(), target, session: 'a', onGuests: () => {}, lost: lost.resolve, log: silentLog },
      never,
    );
    const taken = obtain(boris, 'take-over');
    expect(await lost.promise).toMatchObject({
      code: 'session-taken',
      what: 'boris on desk takes deployment/cart over.',
    });
    await following;
    await vi.waitFor(() => expect(said).toContainEqual('anna on laptop steps aside: their session is being undone'));
    expect(await holderNow()).toBe('a');
    await first.release(never);
    expect(await taken).toMatchObject({ kind: 'lease' });
    expect(await holderNow()).toBe('b');
    expect(said.at(-1)).toBe('You took deployment/cart over from anna on laptop.');
  });

  it('passes over a holder that says nothing any more', async () => {
    await hold(anna);
    const taken = obtain(boris, 'take-over');
    await vi.waitFor(() => expect(lease.watched).toBe(1));
    lease.expire();
    expect(await taken).toMatchObject({ kind: 'lease' });
    expect(await holderNow()).toBe('b');
    expect(said.slice(-2)).toEqual([
      'anna on laptop does not answer; taking deployment/cart over',
      'You took deployment/cart over from anna on laptop. They did not answer, so their session was undone for them.',
    ]);
  });

  it('fences a holder that renews its Lease and does not answer', async () => {
    const first = await hold(anna);
    expect(await obtain(boris, 'take-over', { patience: 100 })).toMatchObject({ kind: 'lease' });
    await expect(first.renew(never)).rejects.toMatchObject({ code: 'session-taken' });
    expect(await holderNow()).toBe('b');
  });

  it('does not go on to take from a third one who was faster', async () => {
    const first = await hold(anna);
    const taken = obtain(boris, 'take-over');
    taken.catch(() => {});
    await vi.waitFor(() => expect(lease.watched).toBe(1));
    await answerTakeover(server.cluster(), target, 'a', never);
    await first.release(never);
    const third = await Promise.allSettled([taken, hold(cleo)]);
    expect(third.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const rejected = third.find((result) => result.status === 'rejected');
    expect(rejected?.reason).toMatchObject({ code: 'target-held' });
  });

  it('is told to a holder that has lost its Lease already', async () => {
    await hold(boris);
    const lost = Promise.withResolvers<Problem>();
    const options = { cluster: server.cluster(), target, onGuests: () => {}, lost: lost.resolve, log: silentLog };
    await followHolding({ ...options, session: 'a' }, never);
    expect(await lost.promise).toMatchObject({ code: 'session-taken', why: 'It was taken over by boris on desk.' });
  });
});
