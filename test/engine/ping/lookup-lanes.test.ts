import { describe, expect, it } from 'vitest';
import { inLanes, type LookUpLanes } from '../../../engine/ping/lookup-lanes.ts';
import type { LookUp } from '../../../engine/ping/name-lookup.ts';
import { slotsOf } from '../../../engine/ping/system-lookup.ts';
import { answerWell, ask, serveAgent } from './asking.ts';

/** A name server in whose hands each lookup lies, on a clock of its own. */
function world(change: Partial<LookUpLanes> = {}) {
  const open = new Map<string, PromiseWithResolvers<readonly string[]>>();
  const begun: string[] = [];
  const clock = { nowMs: 0 };
  const lookUp = inLanes({
    resolve: (name) => {
      begun.push(name);
      const answer = Promise.withResolvers<readonly string[]>();
      open.set(name, answer);
      return answer.promise;
    },
    slots: 2,
    slowSlots: 1,
    slowMs: 1000,
    mostSlow: 10,
    elapsed: () => clock.nowMs,
    ...change,
  });
  const settle = async (name: string, error?: Error) => {
    if (error === undefined) open.get(name)?.resolve(['127.0.0.1']);
    else open.get(name)?.reject(error);
    open.delete(name);
    await new Promise(setImmediate);
  };
  const slowly = async (name: string) => {
    clock.nowMs += 1000;
    await settle(name);
  };
  return { lookUp, begun, open, settle, slowly };
}

function asking(lookUp: LookUp, name: string) {
  const stop = new AbortController();
  const turns: boolean[] = [];
  const answer = lookUp(name, { signal: stop.signal, onTurn: (hasTurn) => void turns.push(hasTurn) });
  // Nobody looks at those that are left open.
  answer.catch(() => {});
  return { answer, turns, giveUp: () => stop.abort() };
}

describe('inLanes', () => {
  it('asks once for a name that several wait for, and again afterwards', async () => {
    const { lookUp, begun, settle } = world();
    const [first, second] = [asking(lookUp, 'a'), asking(lookUp, 'a')];
    await settle('a');
    expect(await Promise.all([first.answer, second.answer])).toEqual([['127.0.0.1'], ['127.0.0.1']]);
    asking(lookUp, 'a');
    expect(begun).toEqual(['a', 'a']);
  });

  it('has no more under way than it may, and tells who waits', async () => {
    const { lookUp, begun, settle } = world();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => asking(lookUp, name));
    expect(begun).toEqual(['a', 'b']);
    expect([a, b, c].map((each) => each?.turns.at(-1))).toEqual([true, true, false]);
    await settle('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(c?.turns.at(-1)).toBe(true);
  });

  it('leaves slow names, and those without an address, a part of the turns only', async () => {
    const { lookUp, begun, settle, slowly } = world();
    asking(lookUp, 'slow');
    asking(lookUp, 'failing');
    await slowly('slow');
    await settle('failing', new Error('ENOTFOUND'));
    begun.length = 0;
    for (const name of ['slow', 'failing', 'a', 'b']) asking(lookUp, name);
    expect(begun).toEqual(['slow', 'a']);
    await settle('a');
    expect(begun).toEqual(['slow', 'a', 'b']);
    await settle('b');
    asking(lookUp, 'c');
    expect(begun).toEqual(['slow', 'a', 'b', 'c']);
    await settle('slow');
    expect(begun).toEqual(['slow', 'a', 'b', 'c', 'failing']);
    // It was quick this time.
    await settle('c');
    asking(lookUp, 'slow');
    expect(begun.at(-1)).toBe('slow');
  });

  it('gives each slow name its turn: the one that had none for longest comes first', async () => {
    const { lookUp, begun, slowly } = world({ slots: 1 });
    const names = ['s0', 's1', 's2', 's3'];
    for (const name of names) {
      asking(lookUp, name);
      await slowly(name);
    }
    begun.length = 0;
    for (let turn = 0; turn < 8; turn++) {
      // Whoever has just had a turn asks again first.
      for (const name of ['s3', 's2', 's1', 's0']) asking(lookUp, name);
      await slowly(begun.at(-1) ?? '');
    }
    expect(begun.slice(1, 9).toSorted()).toEqual([...names, ...names].toSorted());
  });

  it('does not begin what nobody waits for any more, and keeps nothing of it', async () => {
    const { lookUp, begun, settle } = world({ slots: 1 });
    const [a, b, c] = [asking(lookUp, 'a'), asking(lookUp, 'b'), asking(lookUp, 'b')];
    const d = asking(lookUp, 'd');
    b.giveUp();
    d.giveUp();
    a.giveUp();
    await settle('a');
    expect(begun).toEqual(['a', 'b']);
    await settle('b');
    expect(await c.answer).toEqual(['127.0.0.1']);
    expect(begun).toEqual(['a', 'b']);
    asking(lookUp, 'd');
    expect(begun).toEqual(['a', 'b', 'd']);
  });

  it('forgets the slow names of long ago before those of late', async () => {
    const { lookUp, begun, slowly } = world({ mostSlow: 2, slots: 3 });
    for (const name of ['s0', 's1', 's2']) {
      asking(lookUp, name);
      await slowly(name);
    }
    begun.length = 0;
    for (const name of ['s0', 's1', 's2']) asking(lookUp, name);
    expect(begun).toEqual(['s0', 's1']);
  });

  it('goes on after an answer that failed at once', async () => {
    const { lookUp } = world({ slots: 1, resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    for (const name of ['a', 'b', 'c']) await expect(asking(lookUp, name).answer).rejects.toThrow('ENOTFOUND');
  });
});

describe('pings of names', () => {
  const SLOW = Array.from({ length: 14 }, (_, nth) => `slow-${nth}.example.org`);

  it('never make a healthy name fail, though fourteen slow ones came first', async () => {
    const agent = await serveAgent();
    const { lookUp, begun, open, slowly } = world();
    const ping = (name: string) => ask(`http://${name}:${agent.port}`, { lookUp, timeoutMs: 100 });
    const healthy = async () => {
      const reply = ping('healthy.example.org');
      open.get('healthy.example.org')?.resolve(['127.0.0.1']);
      return reply;
    };
    const [bad, first] = await Promise.all([Promise.all(SLOW.map(ping)), healthy()]);
    // Two names have all of the system's threads, and nobody knows them yet.
    const busy = {
      kind: 'forbidden',
      reason: "the engine's own name lookups are busy: 0.1 of 0.1 s went by in waiting",
    };
    expect(first).toEqual(busy);
    expect(bad.map((reply) => reply?.kind)).toEqual(['unreachable', 'unreachable', ...Array(12).fill('forbidden')]);
    expect(bad.slice(2)).toEqual(Array(12).fill(busy));
    for (const name of [...open.keys()]) await slowly(name);
    expect(begun).toEqual(SLOW.slice(0, 2));
  });

  it('answer while slow names are asked for again and again', async () => {
    const agent = await serveAgent(answerWell);
    const { lookUp, open, slowly } = world({ mostSlow: 14 });
    for (const name of SLOW) {
      asking(lookUp, name);
      await slowly(name);
    }
    for (let round = 0; round < 3; round++) {
      const slow = SLOW.map((name) => asking(lookUp, name));
      const reply = ask(`http://healthy.example.org:${agent.port}`, { lookUp, timeoutMs: 5000 });
      open.get('healthy.example.org')?.resolve(['127.0.0.1']);
      expect(await reply).toMatchObject({ kind: 'answered' });
      for (const each of slow) each.giveUp();
    }
  });

  it('that had their turn too late are not held against the agent', async () => {
    const agent = await serveAgent(() => {});
    const lookUp: LookUp = async (_, { onTurn }) => {
      onTurn(false);
      await new Promise((resolve) => setTimeout(resolve, 120));
      onTurn(true);
      return ['127.0.0.1'];
    };
    const reply = await ask(`http://agent.example.org:${agent.port}`, { lookUp, timeoutMs: 200 });
    expect(reply).toEqual({
      kind: 'forbidden',
      reason: expect.stringMatching(/^the engine's own name lookups are busy: 0\.1 of 0\.2 s went by in waiting$/),
    });
  });
});

describe('the lookups under way', () => {
  it.each([
    [undefined, { slots: 2, slowSlots: 1 }],
    ['', { slots: 2, slowSlots: 1 }],
    ['1', { slots: 2, slowSlots: 1 }],
    ['many', { slots: 2, slowSlots: 1 }],
    ['16', { slots: 8, slowSlots: 2 }],
    ['128', { slots: 64, slowSlots: 16 }],
    ['9999', { slots: 512, slowSlots: 128 }],
  ])('with UV_THREADPOOL_SIZE=%s are half of it', (threads, slots) => {
    expect(slotsOf(threads)).toEqual(slots);
  });
});
