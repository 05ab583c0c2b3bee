import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExpressionState,
  type ExpressionWindows,
  expressionFamilies,
  initialExpressions,
  observeExpressions,
} from '../../../../exporter/metrics/dcgm/expressions.ts';
import { dcgmRows } from '../../../../exporter/metrics/dcgm/labels.ts';
import type { SelectedExpression } from '../../../../exporter/metrics/dcgm/selection.ts';
import { renderText } from '../../../../exporter/metrics/exposition.ts';
import type { GpuSample, Snapshot, XidEvent } from '../../../../exporter/snapshot.ts';
import { a100Mig } from '../hardware/a100-mig.ts';

const windows: ExpressionWindows = { xidWindowMs: 10_000, clockEventsWindowMs: 5_000 };

const expressions: readonly SelectedExpression[] = [
  { field: 'DCGM_EXP_CLOCK_EVENTS_COUNT', type: 'gauge', help: 'a' },
  { field: 'DCGM_EXP_CLOCK_EVENTS_TOTAL', type: 'counter', help: 'b' },
  { field: 'DCGM_EXP_XID_ERRORS_COUNT', type: 'gauge', help: 'c' },
  { field: 'DCGM_EXP_XID_ERRORS_TOTAL', type: 'counter', help: 'd' },
];

const idle = 0x1;
const powerCap = 0x4;
const thermal = 0x40;

interface Moment {
  readonly atMs: number;
  readonly masks?: readonly (number | undefined)[];
  readonly xids?: readonly XidEvent[];
}

/** GPU n of the machine has mask n; a GPU beyond the masks is not there. */
function snapshotOf({ atMs, masks = [], xids = [] }: Moment): Snapshot {
  const gpus = masks.map(
    (clocksEventReasons, index): GpuSample => ({
      index,
      uuid: `GPU-${index}`,
      pciBusId: '00000000:07:00.0',
      modelName: 'A100',
      clocksEventReasons,
    }),
  );
  return { takenAtMs: atMs, driverVersion: '1', gpus, xids, health: { failures: [] } };
}

function after(moments: readonly Moment[], options = windows): ExpressionState {
  return moments.reduce((state, moment) => observeExpressions(state, snapshotOf(moment), options), initialExpressions);
}

const xid = (code: number, atMs: number, uuid = 'GPU-0'): XidEvent => ({ uuid, code, atMs });

/** What is published at an instant about the GPUs of a machine, one line per series, without the labels of the GPU. */
function published(state: ExpressionState, atMs: number, { gpus = 1, options = windows } = {}): readonly string[] {
  const snapshot = snapshotOf({ atMs, masks: Array(gpus).fill(undefined) });
  const labelling = {
    hostname: '',
    hostnameLabel: 'none',
    useOldNamespace: false,
    replaceBlanksInModelName: false,
  } as const;
  const rows = dcgmRows(snapshot, [], labelling);
  const families = expressionFamilies({ ...options, state, expressions, atMs, rows });
  return families.flatMap(({ name, series }) =>
    series.map(({ labels: { gpu, UUID, pci_bus_id, device, modelName, ...own }, value }) => {
      const pairs = Object.entries(own).map(([label, text]) => `${label}=${text}`);
      return `${name.replace('DCGM_EXP_', '')}{${pairs.join(',')}} ${value}`;
    }),
  );
}

const noClockEvents = 'CLOCK_EVENTS_COUNT{window_size_in_ms=5000} 0';
const noXids = 'XID_ERRORS_COUNT{window_size_in_ms=10000} 0';

describe('expressionFamilies', () => {
  it('has one series of 0 per GPU under _COUNT before anything was seen, and none under _TOTAL', () => {
    expect(published(initialExpressions, 0)).toEqual([noClockEvents, noXids]);
    expect(published(initialExpressions, 0, { gpus: 2 })).toEqual([noClockEvents, noClockEvents, noXids, noXids]);
  });

  it('counts the XIDs of the window by code, and all of them since the start', () => {
    const state = after([
      { atMs: 1000, xids: [xid(79, 500), xid(31, 900), xid(31, 950)] },
      { atMs: 9000, xids: [xid(31, 8000)] },
    ]);
    expect(published(state, 9000)).toEqual([
      noClockEvents,
      'XID_ERRORS_COUNT{window_size_in_ms=10000,xid=31} 3',
      'XID_ERRORS_COUNT{window_size_in_ms=10000,xid=79} 1',
      'XID_ERRORS_TOTAL{xid=31} 3',
      'XID_ERRORS_TOTAL{xid=79} 1',
    ]);
    expect(published(state, 10_700).slice(1, 3)).toEqual([
      'XID_ERRORS_COUNT{window_size_in_ms=10000,xid=31} 3',
      'XID_ERRORS_TOTAL{xid=31} 3',
    ]);
    expect(published(state, 18_000)[1]).toBe('XID_ERRORS_COUNT{window_size_in_ms=10000,xid=31} 1');
    expect(published(state, 18_001)).toEqual([
      noClockEvents,
      noXids,
      'XID_ERRORS_TOTAL{xid=31} 3',
      'XID_ERRORS_TOTAL{xid=79} 1',
    ]);
  });

  it('gives an XID to its GPU, also when that is gone, and one without a GPU or a code to none', () => {
    const state = after([
      { atMs: 1000, masks: [0], xids: [xid(79, 900, 'GPU-1'), { uuid: undefined, code: 13, atMs: 900 }, xid(0, 900)] },
    ]);
    expect(published(state, 1000, { gpus: 2 })).toEqual([
      noClockEvents,
      noXids,
      'XID_ERRORS_COUNT{window_size_in_ms=10000,xid=79} 1',
      'XID_ERRORS_TOTAL{xid=79} 1',
    ]);
  });

  it('counts the samples of the window in which the clocks had a reason', () => {
    const masks = [idle, idle, powerCap, powerCap | thermal, 0, 0];
    const state = after(masks.map((mask, second) => ({ atMs: second * 1000, masks: [mask] })));
    expect(published(state, 5000)).toEqual([
      'CLOCK_EVENTS_COUNT{clock_event=gpu_idle,window_size_in_ms=5000} 2',
      'CLOCK_EVENTS_COUNT{clock_event=power_cap,window_size_in_ms=5000} 2',
      'CLOCK_EVENTS_COUNT{clock_event=hw_thermal,window_size_in_ms=5000} 1',
      'CLOCK_EVENTS_TOTAL{clock_event=power_cap} 1',
      'CLOCK_EVENTS_TOTAL{clock_event=hw_thermal} 1',
      noXids,
    ]);
    expect(published(state, 6500).filter((line) => line.startsWith('CLOCK_EVENTS_COUNT'))).toEqual([
      'CLOCK_EVENTS_COUNT{clock_event=power_cap,window_size_in_ms=5000} 2',
      'CLOCK_EVENTS_COUNT{clock_event=hw_thermal,window_size_in_ms=5000} 1',
    ]);
  });

  it('has no series under CLOCK_EVENTS_COUNT for samples without a reason, and a 0 for no samples, like dcgm-exporter', () => {
    const state = after([{ atMs: 0, masks: [0] }]);
    expect(published(state, 0)).toEqual([noXids]);
    expect(published(state, 5001)).toEqual([noClockEvents, noXids]);
  });

  it('counts how often a reason began: not the ones of the first sample, nor while it lasts', () => {
    const masks = [powerCap, powerCap, 0, powerCap, powerCap | thermal, undefined, powerCap | thermal, 0, thermal];
    const state = after(masks.map((mask, second) => ({ atMs: second * 1000, masks: [mask] })));
    expect(published(state, 8000).filter((line) => line.startsWith('CLOCK_EVENTS_TOTAL'))).toEqual([
      'CLOCK_EVENTS_TOTAL{clock_event=power_cap} 1',
      'CLOCK_EVENTS_TOTAL{clock_event=hw_thermal} 2',
    ]);
  });

  it('takes a sentinel for no sample, and a GPU that was away for the same GPU', () => {
    const state = after([
      { atMs: 0, masks: [0, 0] },
      { atMs: 1000, masks: [2 ** 32 - 1] },
      { atMs: 2000, masks: [powerCap, powerCap] },
    ]);
    const counts = ['CLOCK_EVENTS_COUNT{clock_event=power_cap,window_size_in_ms=5000} 1'];
    const totals = ['CLOCK_EVENTS_TOTAL{clock_event=power_cap} 1'];
    expect(published(state, 2000, { gpus: 2 })).toEqual([...counts, ...counts, ...totals, ...totals, noXids, noXids]);
  });

  it('gives every row of a GPU, instances and jobs, all of its events, with labels in the order of dcgm-exporter', async () => {
    const [gpu] = a100Mig.gpus;
    const event = { uuid: gpu?.uuid, code: 43, atMs: a100Mig.takenAtMs };
    const state = observeExpressions(initialExpressions, { ...a100Mig, xids: [event] }, windows);
    const rows = dcgmRows(a100Mig, [{ name: 'DCGM_FI_DRIVER_VERSION', get: () => '550' }], {
      hostname: 'n1',
      hostnameLabel: 'Hostname',
      useOldNamespace: false,
      replaceBlanksInModelName: false,
      attributesOf: () => [{ hpc_job: '17' }],
    });
    const families = expressionFamilies({ ...windows, state, expressions, atMs: a100Mig.takenAtMs, rows });
    const golden = new URL('files/expressions-mig.prom', import.meta.url).pathname;
    await expect(renderText(families)).toMatchFileSnapshot(golden);
  });
});

describe('observeExpressions', () => {
  it('counts what a list of all samples and XIDs would give, whatever their course', () => {
    const step = fc.record({
      // XIDs that come within 10 ms leave a window of 10 s together.
      pauseMs: fc.integer({ min: 0, max: 300 }).map((hundredths) => hundredths * 10),
      mask: fc.constantFrom(undefined, 0, idle, powerCap, powerCap | thermal),
      codes: fc.array(fc.constantFrom(31, 79), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 12_000 }), (steps, laterMs) => {
        const moments = momentsOf(steps);
        const atMs = (moments.at(-1)?.atMs ?? 0) + laterMs;
        expect(published(after(moments), atMs)).toEqual(naive(moments, atMs));
      }),
    );
  });

  it('forgets XIDs and samples that no window can hold any more', () => {
    const early = Array.from({ length: 10 }, (_, nth) => ({
      atMs: nth * 100,
      masks: [nth],
      xids: [xid(31, nth * 100)],
    }));
    const state = after([...early, { atMs: 20_000, masks: [0] }]).gpus.get('GPU-0');
    expect(state?.xids.recent).toEqual([]);
    expect(state?.clocks.runs).toEqual([{ from: 10, mask: 0 }]);
  });

  it('keeps a storm of XIDs, a window of a day and a babbling GPU within bounds', () => {
    const dayMs = 86_400_000;
    const options = { xidWindowMs: dayMs, clockEventsWindowMs: dayMs };
    const moments = Array.from({ length: 12_000 }, (_, second): Moment => {
      const atMs = second * 1000;
      return { atMs, masks: [0, 0], xids: [xid(31, atMs), xid(31, atMs + 1), xid(1000 + second, atMs, 'GPU-1')] };
    });
    const state = after(moments, options);
    const [stormy, babbling] = [state.gpus.get('GPU-0'), state.gpus.get('GPU-1')];
    expect(state.samples.takenAtMs).toHaveLength(10_000);
    expect(stormy?.clocks.runs).toHaveLength(1);
    expect(stormy?.xids.recent.length).toBeLessThanOrEqual(1000);
    expect([...(stormy?.xids.totals ?? [])]).toEqual([[31, 24_000]]);
    expect(babbling?.xids.totals.size).toBe(257);
    expect(babbling?.xids.totals.get(999)).toBe(12_000 - 256);
    expect(published(state, 11_999_000, { options })).toContain(
      `XID_ERRORS_COUNT{window_size_in_ms=${dayMs},xid=31} 24000`,
    );
  });
});

interface Step {
  readonly pauseMs: number;
  readonly mask: number | undefined;
  readonly codes: readonly number[];
}

function momentsOf(steps: readonly Step[]): readonly Moment[] {
  let atMs = 0;
  return steps.map(({ pauseMs, mask, codes }) => {
    atMs += pauseMs;
    return { atMs, masks: [mask], xids: codes.map((code) => xid(code, atMs)) };
  });
}

/** The same, counted from the list of everything that happened. */
function naive(moments: readonly Moment[], atMs: number): readonly string[] {
  const { xidWindowMs, clockEventsWindowMs } = windows;
  const xids = moments.flatMap((moment) => moment.xids ?? []);
  const recent = xids.filter((event) => event.atMs >= atMs - xidWindowMs);
  const masks = moments.map(({ atMs: at, masks: [mask] = [] }) => ({ at, mask }));
  const samples = masks.filter(({ at, mask }) => mask !== undefined && at >= atMs - clockEventsWindowMs);
  return [
    ...(samples.length === 0 ? [noClockEvents] : clockLines(samples, clockEventsWindowMs)),
    ...beginnings(masks.flatMap(({ mask }) => mask ?? [])),
    ...(recent.length === 0 ? [noXids] : xidLines('XID_ERRORS_COUNT', `window_size_in_ms=${xidWindowMs},`, recent)),
    ...xidLines('XID_ERRORS_TOTAL', '', xids),
  ];
}

const bitNames = [
  ['gpu_idle', idle],
  ['power_cap', powerCap],
  ['hw_thermal', thermal],
] as const;

function clockLines(samples: readonly { readonly mask: number | undefined }[], windowMs: number): readonly string[] {
  return bitNames.flatMap(([name, bit]) => {
    const count = samples.filter(({ mask = 0 }) => (mask & bit) !== 0).length;
    return count === 0 ? [] : [`CLOCK_EVENTS_COUNT{clock_event=${name},window_size_in_ms=${windowMs}} ${count}`];
  });
}

function beginnings(masks: readonly number[]): readonly string[] {
  return bitNames.flatMap(([name, bit]) => {
    const count = masks.filter(
      (mask, nth) => nth > 0 && (mask & bit) !== 0 && ((masks[nth - 1] ?? 0) & bit) === 0,
    ).length;
    return count === 0 ? [] : [`CLOCK_EVENTS_TOTAL{clock_event=${name}} ${count}`];
  });
}

function xidLines(name: string, labels: string, events: readonly XidEvent[]): readonly string[] {
  return [31, 79].flatMap((code) => {
    const count = events.filter((event) => event.code === code).length;
    return count === 0 ? [] : [`${name}{${labels}xid=${code}} ${count}`];
  });
}
