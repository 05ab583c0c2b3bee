import { afterEach, describe, expect, it } from 'vitest';
import type { MaintenanceSpan } from '../../engine/core/maintenance-span.ts';
import type { Policy } from '../../engine/core/policy.ts';
import { Maintenance } from '../../engine/maintenance.ts';
import { SilenceServer } from './alertmanager/silence-server.ts';
import { MINUTE, planOf, play, times } from './core/fixtures.ts';
import { atTick, maintenancePolicy, matcher, silence, span } from './core/silences.ts';
import { MemoryStore } from './rules/memory-store.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const SIGNAL = new AbortController().signal;

interface Started {
  readonly change?: Partial<Policy>;
  readonly store?: MemoryStore;
  /** Ticks that are judged before the first poll. */
  readonly ticks?: number;
}

async function start({ change = {}, store = new MemoryStore(), ticks = 1 }: Started = {}) {
  const server = new SilenceServer();
  const peer = await server.listen();
  endings.push(() => server.close());
  const plan = planOf({ maintenance: maintenancePolicy(), ...change });
  const { state } = play(plan, times(ticks, { 'a/0': 'up', 'b/0': 'up' }));
  const lines: string[] = [];
  const tell = (level: string) => (fields: object | string, text?: string) => {
    lines.push(`${level} ${text ?? fields}`);
  };
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error') };
  const clock = { now: () => state.tickMs ?? 0, sleep: async () => {} };
  const judged = () => ({ plan, state });
  const maintenance = await Maintenance.open({ clock, store, log, peers: () => [peer], judged });
  const judge = (count: number) => play(plan, times(count, { 'a/0': 'up', 'b/0': 'up' }), state);
  return { server, peer, plan, state, store, maintenance, lines, judge };
}

async function stored(store: MemoryStore): Promise<readonly unknown[]> {
  return (await store.list('maintenance')).map(({ value }) => value);
}

describe('Maintenance', () => {
  it('knows a declared silence after one poll, and has stored it', async () => {
    const { server, plan, store, maintenance, lines } = await start();
    server.silences = [silence()];
    await maintenance.poll(SIGNAL);
    expect(maintenance.calendar(plan.policy)?.spans.map((planned) => planned.span)).toEqual([span(10, 20)]);
    expect(await stored(store)).toEqual([span(10, 20)]);
    expect(lines).toEqual(['info maintenance declared']);
  });

  it('asks nobody while the policy grants nothing', async () => {
    const server = new SilenceServer();
    const peer = await server.listen();
    endings.push(() => server.close());
    const played = play(planOf(), times(1, { 'a/0': 'up' }));
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const clock = { now: () => 0, sleep: async () => {} };
    const maintenance = await Maintenance.open({
      clock,
      store: new MemoryStore(),
      log,
      peers: () => [peer],
      judged: () => played,
    });
    await maintenance.poll(SIGNAL);
    expect([server.paths, maintenance.calendar(played.plan.policy)]).toEqual([[], undefined]);
  });

  it('continues after a restart with what was declared, also while no Alertmanager answers', async () => {
    const first = await start();
    first.server.silences = [silence()];
    await first.maintenance.poll(SIGNAL);
    const second = await start({ store: first.store, ticks: 12 });
    second.server.answer = (response) => response.writeHead(503).end('starting');
    await second.maintenance.poll(SIGNAL);
    expect(second.maintenance.view().calendar?.spans.map((planned) => planned.span)).toEqual([span(10, 20)]);
    expect(second.lines).toEqual([
      `warn Alertmanager ${second.peer.url} tells no silences: it answered 503: starting; known maintenance keeps its end`,
      'info maintenance began: ticks count on neither side',
    ]);
    expect(second.maintenance.view().peers).toEqual([
      { url: second.peer.url, heardAtMs: undefined, failure: 'answered 503: starting', failures: 1 },
    ]);
  });

  it('keeps the known end when an Alertmanager has lost its silences', async () => {
    const { server, maintenance } = await start();
    server.silences = [silence()];
    await maintenance.poll(SIGNAL);
    server.silences = [];
    await maintenance.poll(SIGNAL);
    expect(maintenance.view().calendar?.spans.map((planned) => planned.span)).toEqual([span(10, 20)]);
  });

  it('says a failure once, and what comes after it', async () => {
    const { server, peer, maintenance, lines } = await start();
    server.answer = (response) => response.end('<html>');
    for (let poll = 0; poll < 3; poll++) await maintenance.poll(SIGNAL);
    server.answer = undefined;
    await maintenance.poll(SIGNAL);
    expect(lines).toHaveLength(1);
    expect(maintenance.view().peers).toEqual([
      { url: peer.url, heardAtMs: atTick(0), failure: undefined, failures: 3 },
    ]);
  });

  it('excludes nothing that it could not store', async () => {
    const { server, plan, store, maintenance, lines } = await start();
    server.silences = [silence()];
    store.failure = new Error('disk full');
    await maintenance.poll(SIGNAL);
    expect(maintenance.calendar(plan.policy)?.spans).toEqual([]);
    expect(lines).toEqual(['error declared maintenance could not be stored, so it does not count yet']);
    store.failure = undefined;
    await maintenance.poll(SIGNAL);
    expect(maintenance.calendar(plan.policy)?.spans).toHaveLength(1);
  });

  it('moves the beginning when ticks are judged while it writes', async () => {
    const store = new MemoryStore();
    const { server, maintenance, judge } = await start({ store, ticks: 9 });
    const write = store.write.bind(store);
    let isFirst = true;
    store.write = async (kind, change) => {
      if (isFirst) judge(3);
      isFirst = false;
      await write(kind, change);
    };
    server.silences = [silence()];
    await maintenance.poll(SIGNAL);
    expect(await stored(store)).toEqual([span(12, 20, { firstSeenMs: atTick(8) })]);
    expect(maintenance.view().calendar?.spans.map((planned) => planned.span.fromMs)).toEqual([atTick(12)]);
  });

  it('leaves nothing behind of what has no tick left when it is written', async () => {
    const store = new MemoryStore();
    const { server, maintenance, judge } = await start({ store, ticks: 9 });
    const write = store.write.bind(store);
    let isFirst = true;
    store.write = async (kind, change) => {
      await write(kind, change);
      if (isFirst) judge(15);
      isFirst = false;
    };
    server.silences = [silence()];
    await maintenance.poll(SIGNAL);
    expect([await stored(store), maintenance.view().calendar?.spans]).toEqual([[], []]);
  });

  it('says why a silence that means to be maintenance is none, once', async () => {
    const { server, maintenance, lines } = await start();
    const everything = silence({ matchers: [matcher('instance=~.*')] });
    server.silences = [everything, silence({ id: 's2', comment: 'muting a fan' })];
    await maintenance.poll(SIGNAL);
    await maintenance.poll(SIGNAL);
    const reason = 'it names no node and no GPU; add a matcher on instance or UUID';
    expect(maintenance.view().refused).toEqual([{ silence: everything, reason }]);
    expect(lines).toEqual([`warn a silence is no maintenance: ${reason}`]);
  });

  it('tells when a node enters, spends its budget, and leaves', async () => {
    const change = { maintenance: maintenancePolicy({ budgetMs: MINUTE }) };
    const { server, maintenance, lines, judge } = await start({ change });
    server.silences = [silence()];
    for (let tick = 0; tick < 24; tick++) {
      await maintenance.poll(SIGNAL);
      judge(1);
    }
    expect(lines).toEqual([
      'info maintenance declared',
      'info maintenance began: ticks count on neither side',
      'warn the maintenance budget of the month is spent: ticks count again, although a silence declares maintenance',
      'info maintenance is over: ticks count again',
    ]);
  });

  it('forgets what no budget and no backfill can ask for any more', async () => {
    const store = new MemoryStore();
    const old: MaintenanceSpan = span(-300_000, -299_990, { id: 'old.0', silence: 'old' });
    await store.write('maintenance', { put: [{ key: old.id, value: old }] });
    const { maintenance } = await start({ store });
    expect(maintenance.view().calendar?.spans).toHaveLength(1);
    await maintenance.poll(SIGNAL);
    expect([await stored(store), maintenance.view().calendar?.spans]).toEqual([[], []]);
  });

  it('does not count a damaged record', async () => {
    const store = new MemoryStore();
    await store.write('maintenance', { put: [{ key: 'x', value: { id: 'x', fromMs: 'yesterday' } }] });
    const { maintenance, lines } = await start({ store });
    expect(maintenance.view().calendar?.spans).toEqual([]);
    expect(lines).toEqual(['error a stored maintenance is damaged and does not count']);
  });

  it('polls until it is told to stop', async () => {
    const { server, peer, plan, state, store } = await start();
    const stop = new AbortController();
    let sleeps = 0;
    const sleep = async () => {
      sleeps++;
      if (sleeps === 3) stop.abort();
    };
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const clock = { now: () => atTick(0), sleep };
    const maintenance = await Maintenance.open({
      clock,
      store,
      log,
      peers: () => [peer],
      judged: () => ({ plan, state }),
    });
    await maintenance.run(stop.signal);
    expect(server.paths).toHaveLength(3);
  });
});
