/** Test agents answer as the exporter's agents do, to the exporter's own fold and to the engine's own reader. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { uptimeAnswer } from '../../../../engine/cli/ping-system/test-agent-answers.ts';
import { behaviourOf, hangs } from '../../../../engine/cli/ping-system/test-agent-behaviour.ts';
import { CHECK_INTERVAL_MS, reportAt, seqAt } from '../../../../engine/cli/ping-system/test-agent-history.ts';
import { startTestAgents } from '../../../../engine/cli/ping-system/test-agents.ts';
import { decodeAgentAnswer } from '../../../../engine/ping/agent-answer.ts';
import { agentHealth } from '../../../../exporter/agent/agent-health.ts';
import { gpuStatus } from '../../../../exporter/agent/gpu-status.ts';
import { emptyHistory, type History, step } from '../../../../exporter/agent/history.ts';
import { uptimeAnswer as exporterAnswer } from '../../../../exporter/agent/uptime-answer.ts';
import { uptimeReport } from '../../../../exporter/agent/uptime-report.ts';

const STARTED_MS = Date.parse('2026-01-05T12:00:00Z');
const LOSING = behaviourOf(2);
const life = { bootId: 'boot', startedAtMs: STARTED_MS, hasGpuAt: LOSING.hasGpuAt };

/** The exporter's agent after the same checks, and after a ping that ended with `since`. */
function exporterHistory(elapsedMs: number, since: number): History {
  const start = step(emptyHistory, { kind: 'start', bootId: 'boot', intervalMs: CHECK_INTERVAL_MS }, 10_000);
  return Array.from({ length: seqAt(elapsedMs) }, (_, at) => at * CHECK_INTERVAL_MS).reduce((history, atMs) => {
    const available = LOSING.hasGpuAt(atMs);
    const found = { available, gpus: available ? 1 : 0, reason: available ? undefined : 'no GPU answers, 1 expected' };
    const moment = { wallMs: STARTED_MS + atMs, steadyMs: atMs, epoch: 'e' };
    const checked = step(history, { kind: 'check', seq: history.seq + 1, ...moment, ...found }, 10_000);
    return checked.seq === since ? step(checked, { kind: 'ping', seq: since, since: undefined }, 10_000) : checked;
  }, start);
}

describe('the answer of a test agent', () => {
  it.each([
    [0, undefined],
    [181_000, undefined],
    [181_000, { bootId: 'boot', since: 20 }],
    [179_000, { bootId: 'boot', since: 30 }],
    [600_000, { bootId: 'boot', since: 121 }],
    [600_000, { bootId: 'boot', since: 122 }],
    [600_000, { bootId: 'another', since: 3 }],
    [900_123, undefined],
  ])('is that of the exporter after %d ms to %j', (elapsedMs, cursor) => {
    const history = exporterHistory(elapsedMs, cursor?.since ?? 0);
    const available = LOSING.hasGpuAt(elapsedMs);
    const reason = available ? undefined : 'no GPU answers, 1 expected';
    const current = { available, gpus: available ? 1 : 0, expected: 1, reason };
    const expected = exporterAnswer({
      agentId: 'a',
      atMs: STARTED_MS + elapsedMs,
      current,
      report: uptimeReport(history, cursor),
    });
    const answering = { id: 'a', life, elapsedMs, nowMs: STARTED_MS + elapsedMs };
    expect(uptimeAnswer(answering, reportAt(life, elapsedMs, cursor))).toEqual(expected);
  });

  it('leaves nothing out and tells nothing twice, however often it is asked', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(instants, (all) => {
        let since = 0;
        let [availableMs, unavailableMs] = [0, 0];
        const sorted = all.toSorted((a, b) => a - b);
        for (const elapsedMs of sorted) {
          const report = reportAt(life, elapsedMs, { bootId: 'boot', since });
          expect([report.continuity, report.since]).toEqual(['complete', since]);
          since = report.seq;
          availableMs += report.availableMs;
          unavailableMs += report.unavailableMs;
        }
        const whole = reportAt(life, sorted.at(-1) ?? 0, undefined);
        expect([availableMs, unavailableMs]).toEqual([whole.availableMs, whole.unavailableMs]);
      }),
    );
  });
});

describe('behaviourOf', () => {
  it('gives the second a GPU that gets lost, the third a hang, and all others nothing', () => {
    expect([1, 2, 3, 4, 1000].map((nth) => behaviourOf(nth).what)).toEqual([
      'is always fine',
      'loses its GPU for one minute of every five',
      'leaves every third ping, and all for a minute after it, without an answer',
      'is always fine',
      'is always fine',
    ]);
    const minutes = [0, 1, 2, 2.99, 3, 4, 5, 7, 8];
    expect(minutes.map((minute) => LOSING.hasGpuAt(minute * 60_000))).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
      true,
      false,
      true,
    ]);
    const hangsAt = hangs(behaviourOf(3));
    expect([0, 1, 2, 3, 60_001, 60_002, 60_003, 60_004, 120_004].map(hangsAt)).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(Array.from({ length: 10 }, (_, at) => at).map(hangs(behaviourOf(1)))).not.toContain(true);
  });
});

async function agents() {
  const clock = { wall: STARTED_MS, steady: 50_000 };
  const running = await startTestAgents({ wallMs: () => clock.wall, steadyMs: () => clock.steady });
  onTestFinished(() => running.close());
  const passMs = (ms: number) => {
    clock.wall += ms;
    clock.steady += ms;
  };
  return { add: running.add, passMs };
}

async function get(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), text };
}

describe('the server of test agents', () => {
  it('answers pings that the engine understands, from the cursor', async () => {
    const { add, passMs } = await agents();
    const url = `${add('test-agent-002', LOSING)}/agent/uptime-since-last-ping`;
    const first = decodeAgentAnswer((await get(url)).text, {
      agentId: 'test-agent-002',
      cursor: undefined,
      spanMs: undefined,
    });
    if (first.kind !== 'answer') throw new Error(first.reason);
    expect(first.answer).toMatchObject({ seq: 1, isGpuAvailable: true, continuity: 'complete' });
    passMs(300_000);
    const cursor = { bootId: first.answer.bootId, seq: first.answer.seq };
    const query = new URLSearchParams({ since: String(cursor.seq), boot_id: cursor.bootId });
    const second = decodeAgentAnswer((await get(`${url}?${query}`)).text, {
      agentId: 'test-agent-002',
      cursor,
      spanMs: 300_000,
    });
    expect(second).toMatchObject({ kind: 'answer', answer: { seq: 61, claimed: { uptime: 0.8, coverage: 1 } } });
    const again = decodeAgentAnswer((await get(`${url}?${query}`)).text, {
      agentId: 'test-agent-002',
      cursor,
      spanMs: 300_000,
    });
    expect(again).toEqual(second);
  });

  it('has the fields of the exporter in its other answers', async () => {
    const { add, passMs } = await agents();
    const url = add('test-agent-002', LOSING);
    passMs(121_500);
    const status = JSON.parse((await get(`${url}/agent/gpu-status`)).text);
    const identity = { index: 0, uuid: 'u', modelName: 'm', pciBusId: 'p' };
    const gpu = { identity, state: 'lost' as const, reason: 'r', lastSeenMs: 0 };
    const reading = { snapshot: undefined, presence: { gpus: { u: gpu } } };
    const exporter = gpuStatus(reading as unknown as Parameters<typeof gpuStatus>[0], undefined, 0);
    expect(Object.keys(status).toSorted()).toEqual(['agent_id', 'timestamp', ...Object.keys(exporter)].toSorted());
    expect(Object.keys(status.gpus[0]).toSorted()).toEqual(Object.keys(exporter.gpus[0] ?? {}).toSorted());
    expect(status).toMatchObject({ gpu_available: false, gpu_count: 0, reason: 'no GPU answers, 1 expected' });
    expect(status.gpus[0]).toMatchObject({ available: false, last_seen: '2026-01-05T12:01:55.000Z' });
    const health = JSON.parse((await get(`${url}/agent/health`)).text);
    const facts = { bootId: 'b', seq: 1, intervalMs: 5000, lastCheckAgeMs: 0, idleMs: 0, disk: undefined };
    expect(health).toMatchObject({ status: agentHealth(facts).status, seq: 25, last_check_age_seconds: 1.5 });
  });

  it('gives Prometheus a target without GPUs', async () => {
    const { add } = await agents();
    expect(await get(`${add('a', behaviourOf(1))}/metrics`)).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: '# A test agent has no GPU of its own.\n',
    });
  });

  it.each([
    ['?since=1', 400, 'boot_id'],
    ['?boot_id=b', 400, 'since'],
    ['?since=x&boot_id=b', 400, 'since'],
    ['?since=1&since=2&boot_id=b', 400, 'since'],
    ['?until=1', 400, 'until'],
  ])('refuses the cursor %s as the exporter does', async (query, status, field) => {
    const { add } = await agents();
    const answer = await get(`${add('a', behaviourOf(1))}/agent/uptime-since-last-ping${query}`);
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(answer.text).errors.map((one: { field: string }) => one.field)).toEqual([field]);
  });

  it.each([
    ['/', {}, 404],
    ['/a/agent/toString', {}, 404],
    ['/a/toString', {}, 404],
    ['/b/agent/health', {}, 404],
    ['/a/agent/health', { method: 'POST' }, 405],
  ])('has nothing at %s with %j', async (path, init, status) => {
    const { add } = await agents();
    const base = add('a', behaviourOf(1)).replace(/\/a$/, '');
    expect((await get(`${base}${path}`, init)).status).toBe(status);
  });

  it('leaves a ping without an answer when an agent hangs, and answers the others', async () => {
    const { add, passMs } = await agents();
    const [hanging, fine] = [add('test-agent-003', behaviourOf(3)), add('test-agent-001', behaviourOf(1))];
    const ping = (base: string, signal?: AbortSignal) =>
      get(`${base}/agent/uptime-since-last-ping`, signal === undefined ? {} : { signal });
    expect([(await ping(hanging)).status, (await ping(hanging)).status]).toEqual([200, 200]);
    await expect(ping(hanging, AbortSignal.timeout(200))).rejects.toThrow(/timeout/);
    expect((await ping(fine)).status).toBe(200);
    passMs(60_000);
    expect((await ping(hanging)).status).toBe(200);
  });
});
