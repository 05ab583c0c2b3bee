import { describe, expect, it } from 'vitest';
import type { ComponentHealthStates } from '../../../exporter/gpud/api.ts';
import type { GpudReading } from '../../../exporter/gpud/reading.ts';
import type { Slowdown } from '../../../exporter/gpud/slowdown.ts';
import { componentNames, listedNames, states } from '../../../exporter/gpud/states.ts';
import { initialPresence } from '../../../exporter/presence.ts';
import type { Snapshot } from '../../../exporter/snapshot.ts';
import { bareGpu, gpu, lost, minuteMs, readingAfter, snapshotOf, uuid, xid, xidText, zeroMs } from './fixtures.ts';

const statesOf = (reading: GpudReading, atMs = zeroMs) => states(reading, listedNames(reading), atMs);

/** Without the data, which the goldens show. */
const brief = (all: readonly ComponentHealthStates[]) =>
  Object.fromEntries(
    all.flatMap(({ component, states: [state] }) => {
      if (state === undefined) return [];
      const { time: _time, component: _component, name: _name, extra_info: _data, ...rest } = state;
      return [[component.replace('accelerator-nvidia-', ''), rest]];
    }),
  );

const unwell = (all: readonly ComponentHealthStates[]) =>
  Object.fromEntries(Object.entries(brief(all)).filter(([, { health }]) => health !== 'Healthy'));

/** The data are JSON in a string; for people they are shown unfolded. */
const unfolded = (all: readonly ComponentHealthStates[]) => {
  const unfold = (key: string, value: unknown) =>
    key === 'data' && typeof value === 'string' ? JSON.parse(value) : value;
  return `${JSON.stringify(JSON.parse(JSON.stringify(all), unfold), undefined, 2)}\n`;
};

describe('states', () => {
  it('lists every component that healthy GPUs support', async () => {
    const all = statesOf(readingAfter(snapshotOf([gpu(0), gpu(1)])));
    expect(all.map(({ component }) => component)).toEqual(componentNames);
    await expect(unfolded(all)).toMatchFileSnapshot('./golden/healthy.json');
  });

  it('leaves out what a card cannot answer for', async () => {
    const all = statesOf(readingAfter(snapshotOf([bareGpu(0)])));
    await expect(unfolded(all)).toMatchFileSnapshot('./golden/bare.json');
  });

  it('is initializing until something was read, and claims no health', () => {
    const reading = { snapshot: undefined, failure: undefined, presence: initialPresence, slowdowns: [], xidText };
    expect(statesOf(reading)[0]).toEqual({
      component: 'accelerator-nvidia-clock-speed',
      states: [
        {
          time: '2026-01-01T00:00:00Z',
          component: 'accelerator-nvidia-clock-speed',
          name: 'accelerator-nvidia-clock-speed',
          health: 'Initializing',
          reason: 'nothing has been read yet',
        },
      ],
    });
    expect(new Set(Object.values(brief(statesOf(reading))).map(({ health }) => health))).toEqual(
      new Set(['Initializing']),
    );
  });

  it('says of every component that the GPUs cannot be read', () => {
    const reading = readingAfter(snapshotOf([gpu(0)]));
    const failure = { reason: 'timeout', message: 'the driver did not answer' } as const;
    const expected = { health: 'Unhealthy', reason: 'the GPUs cannot be read', error: failure.message };
    const found = Object.values(brief(statesOf({ ...reading, failure })));
    expect(found).toEqual(found.map(() => expected));
  });

  it('degrades the temperature of a GPU above its own limit, and of its memory', () => {
    const hot = gpu(0, { gpuTemperatureCelsius: 88, memoryTemperatureCelsius: 96 });
    expect(unwell(statesOf(readingAfter(snapshotOf([hot, gpu(1, { gpuTemperatureCelsius: 87 })]))))).toEqual({
      temperature: {
        health: 'Degraded',
        reason: `${uuid(0)} is at 88 °C, above its limit of 87 °C, the memory of ${uuid(0)} is at 96 °C, above its limit of 95 °C`,
      },
    });
  });

  it('takes the slowdown temperature where a card has no other limit, and judges nothing without any', () => {
    const warm = { gpuTemperatureCelsius: 93, maxGpuTemperatureCelsius: undefined };
    const bare = { ...bareGpu(1), gpuTemperatureCelsius: 120 };
    expect(unwell(statesOf(readingAfter(snapshotOf([gpu(0, warm), bare]))))).toMatchObject({
      temperature: { reason: `${uuid(0)} is at 93 °C, above its limit of 92 °C` },
    });
  });

  it('asks for a reboot when a GPU is lost, and keeps the data of the others', async () => {
    const well = snapshotOf([gpu(0), gpu(1)]);
    const one = snapshotOf([gpu(0)], { takenAtMs: zeroMs + 1000, health: { failures: [lost(1)] } });
    await expect(unfolded(statesOf(readingAfter(well, one)))).toMatchFileSnapshot('./golden/lost.json');
  });

  it.each([
    ['gpu_is_lost', `GPU lost: ${uuid(1)}`, 'REBOOT_SYSTEM'],
    ['reset_required', `GPU requires reset: ${uuid(1)}`, 'REBOOT_SYSTEM'],
    ['wedged', `GPU cannot be read: ${uuid(1)}`, 'REBOOT_SYSTEM'],
    ['unknown', `GPU cannot be read: ${uuid(1)}`, undefined],
  ])('says what %s means, beside what else is wrong', (reason, text, action) => {
    const health = { failures: [{ uuid: uuid(1), reason, message: 'the message' }] };
    const hot = snapshotOf([gpu(0, { gpuTemperatureCelsius: 90, rowRemapFailure: 1 })], { health });
    const { temperature, power, 'remapped-rows': rows } = brief(statesOf(readingAfter(hot)));
    const suggest = (description: string) =>
      action === undefined ? {} : { suggested_actions: { description, repair_actions: [action] } };
    const common = { health: 'Unhealthy', error: 'the message' };
    const tooHot = `${text}, ${uuid(0)} is at 90 °C, above its limit of 87 °C`;
    expect(power).toEqual({ ...common, reason: text, ...suggest(text) });
    expect(temperature).toEqual({ ...common, reason: tooHot, ...suggest(tooHot) });
    expect(rows?.suggested_actions?.repair_actions).toEqual(['HARDWARE_INSPECTION']);
  });

  it('lists what it always lists when the only GPU is lost', () => {
    const gone = snapshotOf([], { health: { failures: [lost(0)] } });
    expect(statesOf(readingAfter(snapshotOf([gpu(0)]), gone)).map(({ component }) => component)).toEqual(
      componentNames,
    );
  });

  it('asks for an inspection when a GPU stays away after two loads of the driver', () => {
    const epoch = (counterEpoch: string, second: number, gpus = [gpu(0)]) =>
      snapshotOf(gpus, { takenAtMs: zeroMs + second * 1000, counterEpoch });
    const actions = (...epochs: readonly string[]) => {
      const rounds = epochs.map((name, nth) => epoch(name, nth + 2));
      const found = brief(statesOf(readingAfter(epoch('a', 0, [gpu(0), gpu(1)]), epoch('a', 1), ...rounds)));
      return found['gpu-counts'];
    };
    const reason = `1 of 2 GPUs answer; missing: ${uuid(1)} (missing)`;
    const suggest = (action: string) => ({
      health: 'Unhealthy',
      reason,
      suggested_actions: { description: reason, repair_actions: [action] },
    });
    expect(actions('a')).toEqual(suggest('REBOOT_SYSTEM'));
    expect(actions('b')).toEqual(suggest('REBOOT_SYSTEM'));
    expect(actions('b', 'c')).toEqual(suggest('HARDWARE_INSPECTION'));
  });

  it.each([
    [
      'pending',
      { rowRemapPending: 1 },
      { reason: `${uuid(0)} waits for a reset to remap a row`, action: 'REBOOT_SYSTEM' },
    ],
    [
      'failed',
      { rowRemapPending: 1, rowRemapFailure: 1 },
      {
        reason: `${uuid(0)} could not remap a broken row: have the card replaced, ${uuid(0)} waits for a reset to remap a row`,
        action: 'HARDWARE_INSPECTION',
      },
    ],
  ])('says what to do about a row remapping that is %s', (_, changes, { reason, action }) => {
    expect(unwell(statesOf(readingAfter(snapshotOf([gpu(0, changes), gpu(1)]))))).toEqual({
      'remapped-rows': {
        health: 'Unhealthy',
        reason,
        suggested_actions: { description: reason, repair_actions: [action] },
      },
    });
  });

  it.each([
    [
      'uncorrectable memory errors',
      { eccDbeVolatile: 3 },
      'ecc',
      {
        health: 'Degraded',
        reason: `${uuid(0)} has had 3 uncorrectable memory errors since the driver was loaded`,
      },
    ],
    [
      'persistence mode that is off',
      { persistenceMode: 0 },
      'persistence-mode',
      { health: 'Unhealthy', reason: `${uuid(0)} has persistence mode off` },
    ],
    [
      'a fabric that is not joined yet',
      { fabricState: 2 },
      'fabric-manager',
      { health: 'Unhealthy', reason: `${uuid(0)} has not joined the fabric: In Progress` },
    ],
    [
      'a fabric that could not be joined',
      { fabricStatus: 999 },
      'fabric-manager',
      { health: 'Unhealthy', reason: `${uuid(0)} failed to join the fabric: NVML error 999` },
    ],
  ])('notices %s', (_, changes, component, expected) => {
    expect(unwell(statesOf(readingAfter(snapshotOf([gpu(0, changes), gpu(1)]))))).toEqual({ [component]: expected });
  });

  it('calls NVLink broken when no GPU of several has all its links on, and not before', () => {
    const halfOn = { nvlinks: [{ link: 0, isActive: false }] };
    const judged = (...gpus: Parameters<typeof snapshotOf>[0]) => unwell(statesOf(readingAfter(snapshotOf(gpus))));
    const reason = 'none of the 2 GPUs with NVLink has all its links on';
    expect(judged(gpu(0, halfOn), gpu(1))).toEqual({});
    expect(judged(gpu(0, halfOn))).toEqual({});
    expect(judged(gpu(0, halfOn), gpu(1, halfOn))).toEqual({
      nvlink: {
        health: 'Unhealthy',
        reason,
        suggested_actions: { description: reason, repair_actions: ['REBOOT_SYSTEM'] },
      },
    });
  });

  it('calls hardware slowdown a fault from the sixth slow minute of ten', () => {
    const slow = (minutes: number): readonly Slowdown[] =>
      Array.from({ length: minutes }, (_, nth) => ({
        atMs: zeroMs - nth * minuteMs,
        uuid: uuid(nth % 2),
        causes: ['hw_thermal_slowdown'],
      }));
    const reading = readingAfter(snapshotOf([gpu(0), gpu(1)]));
    expect(unwell(statesOf({ ...reading, slowdowns: slow(5) }))).toEqual({});
    const reason = 'the hardware slowed a GPU down in 6 of the last 10 minutes';
    expect(unwell(statesOf({ ...reading, slowdowns: slow(6) }))).toEqual({
      'hw-slowdown': {
        health: 'Unhealthy',
        reason,
        suggested_actions: { description: reason, repair_actions: ['HARDWARE_INSPECTION'] },
      },
    });
    expect(unwell(statesOf({ ...reading, slowdowns: slow(6) }, zeroMs + 6 * minuteMs))).toEqual({});
  });
});

describe('the XID component', () => {
  const second = (nth: number) => zeroMs + nth * 1000;
  const withXids = (nth: number, codes: readonly number[], counterEpoch = 'a') =>
    snapshotOf([gpu(0, { rowRemapPending: undefined })], {
      takenAtMs: second(nth),
      counterEpoch,
      xids: codes.map((code, order) => xid(code, 0, second(nth) + order)),
    });
  const judged = (...snapshots: readonly Snapshot[]) => {
    const [state] = states(readingAfter(...snapshots), ['accelerator-nvidia-error-xid'], second(60));
    return state?.states[0];
  };
  const where = `on ${uuid(0)} at 0000:0f:00.0`;

  it('shows XID 79 as GPUd does', () => {
    const reason = `XID 79 (GPU has fallen off the bus) ${where}`;
    expect(judged(withXids(0, [79]))).toEqual({
      time: '2026-01-01T00:00:00Z',
      component: 'accelerator-nvidia-error-xid',
      name: 'error_xid',
      health: 'Unhealthy',
      reason,
      suggested_actions: { description: reason, repair_actions: ['REBOOT_SYSTEM'] },
    });
  });

  it.each([
    ['nothing', [], 'Healthy', 'no XID was reported', undefined],
    ['a mistake of the application', [13], 'Healthy', `XID 13 (text of 13) ${where}`, 'CHECK_USER_APP_AND_GPU'],
    ['a code that asks for nothing', [45], 'Healthy', `XID 45 (text of 45) ${where}`, 'IGNORE_NO_ACTION_REQUIRED'],
    ['a code without a rating', [8], 'Healthy', `XID 8 (text of 8) ${where}`, undefined],
    ['a code that nobody knows', [999], 'Healthy', `XID 999 (text of 999) ${where}`, undefined],
    ['broken hardware', [81], 'Unhealthy', `XID 81 (text of 81) ${where}`, 'HARDWARE_INSPECTION'],
    ['the worst of several, not the last', [48, 13], 'Unhealthy', `XID 48 (text of 48) ${where}`, 'REBOOT_SYSTEM'],
    ['the last of several that are as bad', [48, 119], 'Unhealthy', `XID 119 (text of 119) ${where}`, 'REBOOT_SYSTEM'],
  ] as const)('judges %s', (_, codes, health, reason, action) => {
    const found = judged(withXids(0, codes));
    expect([found?.health, found?.reason, found?.suggested_actions?.repair_actions[0]]).toEqual([
      health,
      reason,
      action,
    ]);
  });

  it('is cured by a load of the driver where a reboot was asked for, and only there', () => {
    expect(judged(withXids(0, [79]), withXids(1, [], 'b'))).toMatchObject({ health: 'Healthy' });
    expect(judged(withXids(0, [81]), withXids(1, [], 'b'))).toMatchObject({ health: 'Unhealthy' });
  });

  it('asks for an inspection when a reboot has not helped twice, but never for a contained error', () => {
    const again = (code: number) =>
      judged(
        withXids(0, [code]),
        withXids(1, [], 'b'),
        withXids(2, [code], 'b'),
        withXids(3, [], 'c'),
        withXids(4, [code], 'c'),
      );
    expect(again(79)?.suggested_actions?.repair_actions).toEqual(['HARDWARE_INSPECTION']);
    expect(again(94)?.suggested_actions?.repair_actions).toEqual(['REBOOT_SYSTEM']);
  });

  it('leaves row remapping to the component that knows more about it', () => {
    expect(judged(withXids(0, [63]))).toMatchObject({ health: 'Unhealthy' });
    const remapping = snapshotOf([gpu(0)], { takenAtMs: second(1), counterEpoch: 'a', xids: [xid(64, 0)] });
    expect(judged(withXids(0, [63]), remapping)).toMatchObject({ health: 'Healthy', reason: 'no XID was reported' });
  });

  it('forgets after three days', () => {
    const reading = readingAfter(withXids(0, [79]));
    const at = (days: number) => states(reading, ['accelerator-nvidia-error-xid'], zeroMs + days * 86_400_000)[0];
    expect(at(2.9)?.states[0]?.health).toBe('Unhealthy');
    expect(at(3)?.states[0]?.health).toBe('Healthy');
  });

  it('says so when nobody knows which GPU it was', () => {
    const unknown = { ...withXids(0, []), xids: [{ atMs: zeroMs, uuid: undefined, code: 79 }] };
    expect(judged(unknown)?.reason).toBe('XID 79 (GPU has fallen off the bus) on an unknown GPU');
  });
});
