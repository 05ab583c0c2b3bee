import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../engine/core/action.ts';
import { actionOn, NO_ACTIONS } from '../../../engine/core/action-book.ts';
import { withLiveAlerts } from '../../../engine/core/action-state.ts';
import { TICK } from '../../../engine/core/tick.ts';
import { GPU_STATES, gpuStateOf, renderGpuStates } from '../../../engine/metrics/gpu-state.ts';
import { programOf, requireTool } from '../../servers/require-tool.ts';
import { fired, firingTimes, playFiring } from '../core/firing.ts';
import { planOf, play, times } from '../core/fixtures.ts';

const GOLDEN = join(import.meta.dirname, 'golden/gpu-state.prom');
const UP = { 'a/0': 'up', 'a/1': 'up', 'b"\\/0': 'up', 'c/0': 'up', 'd/0': 'up', 'e/0': 'up' } as const;

describe('renderGpuStates', () => {
  it('equals the golden page: one GPU per state, and an alert about nobody', async () => {
    const shown = { ...UP, 'a/1': 'busy', 'c/0': 'hot' } as const;
    const fleet = playFiring(planOf(), [
      ...firingTimes(2, UP),
      ...firingTimes(1, shown, [
        ['quarantine', 'a/0'],
        ['preempt', 'd'],
        ['throttle', 'e/0'],
        ['throttle', 'c/0'],
        ['quarantine', 'z/9'],
      ]),
    ]);
    const page = [...renderGpuStates(fleet, fleet.state.actions)].join('');
    await expect(page).toMatchFileSnapshot(GOLDEN);
  });

  it('gives promtool nothing to complain about', async (context) => {
    const promtool = programOf(await requireTool(context, 'prometheus'), 'promtool');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: readFileSync(GOLDEN),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('has one series per GPU, in pieces, and counts that add up to the fleet', () => {
    const gpus = Object.fromEntries(Array.from({ length: 2500 }, (_, n) => [`n${n % 300}/${n}`, 'up' as const]));
    const fleet = play(planOf(), times(2, gpus));
    const firing = Object.keys(gpus)
      .slice(0, 100)
      .map((id) => fired('throttle', id, 0));
    const pieces = [...renderGpuStates(fleet, withLiveAlerts(fleet, firing))];
    const lines = pieces.join('').split('\n');
    expect(new Set(lines.filter((line) => line.startsWith('gpu_uptime_gpu_state{'))).size).toBe(2500);
    expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThanOrEqual(1001);
    const counts = lines.filter((line) => line.startsWith('gpu_uptime_gpu_states{'));
    expect(counts).toHaveLength(GPU_STATES.length);
    expect(counts.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)).toBe(2500);
  });

  it('names no GPU before one is known', () => {
    const page = [...renderGpuStates(play(planOf(), []), NO_ACTIONS)].join('');
    expect(page).not.toContain('gpu_uptime_gpu_state{');
    expect(page).toContain('gpu_uptime_gpu_states{state="up"} 0\n');
  });
});

describe('the state of a GPU', () => {
  const fleet = play(planOf(), times(2, { 'a/0': 'up' }));
  const record = fleet.state.gpus.get('a/0');

  it.each<[keyof typeof TICK, Action | undefined, string]>([
    ['up', undefined, 'up'],
    ['busy', undefined, 'busy'],
    ['up', 'notify', 'up'],
    ['busy', 'throttle', 'throttled'],
    ['down', 'throttle', 'down'],
    ['unobserved', 'throttle', 'unobserved'],
    ['down', 'preempt', 'preempted'],
    ['unobserved', 'quarantine', 'quarantined'],
    ['maintenance', 'quarantine', 'maintenance'],
  ])('at a tick that is %s under %s is %s', (tick, action, expected) => {
    const book = action === undefined ? NO_ACTIONS : withLiveAlerts(fleet, [fired(action, 'a/0', 0)]);
    expect(record && [actionOn(book, record), gpuStateOf(book, record, TICK[tick])]).toEqual([action, expected]);
  });
});
